#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <map>

#include "bindings/array_of.hpp"
#include "bindings/machine.hpp"
#include "bindings/peripherals.hpp"
#include "model/peripherals/axi_intc.hpp"
#include "model/peripherals/host_interrupt.hpp"
#include "model/peripherals/make_peripheral.hpp"
#include "model/peripherals/ps_gpio.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using Release = nb::call_guard<nb::gil_scoped_release>;

namespace gapless {
namespace {

microblaze::Config with_units(const std::vector<std::string>& units) {
    microblaze::Config config;
    for (const std::string& unit : units) {
        if (unit == "multiplier") config.multiplier = microblaze::Multiplier::mul32;
        else if (unit == "multiplier64") config.multiplier = microblaze::Multiplier::mul64;
        else if (unit == "barrel-shifter") config.barrel_shifter = true;
        else if (unit == "divider") config.divider = true;
        else if (unit == "pattern-compare") config.pattern_compare = true;
        else if (unit == "msr-instructions") config.msr_instructions = true;
        else if (unit == "illegal-opcode-exception") config.illegal_opcode_exception = true;
        else if (unit == "unaligned-exceptions") config.unaligned_exceptions = true;
        else if (unit == "bus-exceptions") config.bus_exceptions = true;
        else if (unit == "divide-exception") config.divide_exception = true;
        else throw nb::value_error(("a MicroBlaze has no unit " + unit).c_str());
    }
    return config;
}

std::size_t add_iop(PyParts& self, std::uint64_t base, std::string name, const std::vector<std::string>& units,
                    double clock, std::uint32_t local_bytes, std::uint32_t window_base, std::uint64_t window_bytes,
                    std::uint64_t window_physical, std::uint32_t memory_cycles, std::uint32_t peripheral_cycles) {
    if (local_bytes < 4096 || local_bytes > 1U << 20 || (local_bytes & (local_bytes - 1)) != 0)
        throw nb::value_error("local_bytes is a power of two from 4 KiB to 1 MiB");
    if (window_bytes > UINT32_MAX) throw nb::value_error("a window has less than 4 GiB");
    if (!(clock >= 1e6 && clock <= 1e9)) throw nb::value_error("the clock is 1 MHz to 1 GHz");
    IopConfig config;
    config.name = std::move(name);
    config.cpu = with_units(units);
    config.local_bytes = local_bytes;
    config.cycle = static_cast<Time>(1e12 / clock + 0.5);
    config.window_base = window_base;
    config.window_bytes = static_cast<std::uint32_t>(window_bytes);
    config.window_physical = window_physical;
    config.memory_cycles = memory_cycles;
    config.peripheral_cycles = peripheral_cycles;
    self.iops.push_back(&self.parts->add_iop(base, std::move(config)));
    return self.iops.size() - 1;
}

// The board that a peripheral is on, what it came with, and the processor on whose bus it is, if any.
class MachineHost final : public PeripheralHost {
public:
    MachineHost(const PyParts& parts, Iop* iop) : machine_(parts.machine), parts_(parts.parts), iop_(iop) {}
    std::unique_lock<std::mutex> lock() override { return machine_->lock(); }
    Time now() const override { return machine_->now(); }
    void changed(Peripheral&) override {
        if (iop_ != nullptr) iop_->wake(machine_->now());
    }

private:
    std::shared_ptr<Machine> machine_;
    std::shared_ptr<Parts> parts_;
    Iop* iop_;
};

using Parameters = std::map<std::string, double>;

nb::object add_peripheral(PyParts& self, std::uint64_t base, const std::string& kind, const Parameters& parameters,
                          int line) {
    check_line(line);
    std::shared_ptr<Peripheral> made = make_peripheral(kind, parameters);
    self.parts->add_peripheral(base, 0x1000, made, line);
    return peripheral_handle(std::make_shared<MachineHost>(self, nullptr), std::move(made));
}

nb::object add_iop_peripheral(PyParts& self, std::size_t number, std::uint32_t base, const std::string& kind,
                              const Parameters& parameters) {
    Iop& iop = *self.iops.at(number);
    std::shared_ptr<Peripheral> made = make_peripheral(kind, parameters);
    iop.add_peripheral(base, made);
    return peripheral_handle(std::make_shared<MachineHost>(self, &iop), std::move(made));
}

template <typename T>
T& as(const PeripheralHandle& handle, const char* otherwise) {
    T* found = dynamic_cast<T*>(&handle.peripheral());
    if (found == nullptr) throw nb::value_error(otherwise);
    return *found;
}

void connect_interrupt(PyParts&, const PeripheralHandle& controller, unsigned input, const PeripheralHandle& source) {
    if (input > 31) throw nb::value_error("inputs of an AXI INTC are 0 to 31");
    as<AxiIntc>(controller, "the controller is an AXI INTC").connect(input, source.peripheral().interrupt);
}

void connect_line(PyParts& self, const PeripheralHandle& controller, unsigned input, int line) {
    check_line(line);
    auto& intc = as<AxiIntc>(controller, "the controller is an AXI INTC");
    if (!intc.has_input(input)) throw nb::value_error("the controller has no such input");
    // It passes levels on at once: at what time is nobody's business.
    self.parts->interrupts().follow(line, [&intc, input](bool level) { intc.set_input(input, level, 0); });
}

// The pin of the PS's GPIO that leads to the PL as number `pin`.
Wire& emio(const PeripheralHandle& handle, unsigned pin) {
    auto& gpio = as<PsGpio>(handle, "an IOP is held in reset by a pin of the PS's GPIO");
    if (pin >= gpio.pin_count() - gpio.first_emio_pin()) throw nb::value_error("the PS's GPIO has no such pin");
    return gpio.output(gpio.first_emio_pin() + pin);
}

void connect_reset(PyParts& self, std::size_t number, const PeripheralHandle& gpio, unsigned pin) {
    Iop& iop = *self.iops.at(number);
    self.parts->follow(emio(gpio, pin), [&iop](bool level, Time now) { iop.hold(level, now); });
}

void connect_controller(PyParts& self, std::size_t number, const PeripheralHandle& controller) {
    Iop& iop = *self.iops.at(number);
    controller.peripheral().interrupt.connect([&iop](bool level, Time) { iop.set_interrupt(level); });
}

void connect_caller(PyParts& self, std::size_t number, const PeripheralHandle& caller, const PeripheralHandle& gpio,
                    unsigned acknowledge_pin, int line) {
    Iop& iop = *self.iops.at(number);
    check_line(line);
    auto& latch = as<HostInterrupt>(caller, "the host is called by a host interrupt");
    self.parts->follow(emio(gpio, acknowledge_pin),
                       [&latch](bool level, Time now) { latch.set_acknowledge(level, now); });
    InterruptLines& lines = self.parts->interrupts();
    latch.interrupt.connect([&iop, &lines, line](bool level, Time) {
        lines.set(line, level);
        iop.call_host();
    });
}

const char* name_of(microblaze::Fault::Kind kind) {
    using Kind = microblaze::Fault::Kind;
    switch (kind) {
        case Kind::illegal_opcode: return "illegal-opcode";
        case Kind::unaligned: return "unaligned";
        case Kind::data_bus: return "data-bus";
        case Kind::instruction_bus: return "instruction-bus";
        case Kind::refused: return "refused";
    }
    return "";
}

using FaultTuple = std::tuple<std::string, std::uint32_t, std::uint32_t, std::uint32_t, std::string>;

std::optional<FaultTuple> fault(PyParts& self, std::size_t iop) {
    const auto lock = self.machine->lock();
    const Iop& one = *self.iops.at(iop);
    if (!one.faulted()) return std::nullopt;
    const microblaze::Fault& found = one.cpu().fault();
    return FaultTuple{name_of(found.kind), found.pc, found.opcode, found.address, found.text};
}

// (state, pc, cycles, instructions)
std::tuple<std::string, std::uint32_t, std::uint64_t, std::uint64_t> state(PyParts& self, std::size_t iop) {
    const auto lock = self.machine->lock();
    const Iop& one = *self.iops.at(iop);
    return {one.state_name(), one.cpu().pc(), one.cpu().cycle(), one.cpu().instructions()};
}

ExecutionLog::Keep keep_of(const std::string& name) {
    if (name == "nothing") return ExecutionLog::Keep::nothing;
    if (name == "stores") return ExecutionLog::Keep::stores;
    if (name == "accesses") return ExecutionLog::Keep::accesses;
    if (name == "everything") return ExecutionLog::Keep::everything;
    throw nb::value_error("keep is 'nothing', 'stores', 'accesses' or 'everything'");
}

// A log that goes on while it is looked at: every look takes the machine's lock.
struct PyLog {
    std::shared_ptr<Machine> machine;
    std::shared_ptr<ExecutionLog> log;
};

PyLog observe(PyParts& self, std::size_t iop, const std::string& keep, std::size_t limit) {
    Iop& one = *self.iops.at(iop);
    auto log = std::make_shared<ExecutionLog>(keep_of(keep), limit, one.local_bytes());
    const auto lock = self.machine->lock();
    one.observe(log);
    return {self.machine, std::move(log)};
}

constexpr std::size_t columns = 8;

nb::object records(const PyLog& self) {
    std::vector<std::uint64_t> rows;
    {
        const nb::gil_scoped_release release;
        const auto lock = self.machine->lock();
        rows.reserve(self.log->records().size() * columns);
        for (const microblaze::Executed& one : self.log->records())
            for (std::uint64_t value : std::array<std::uint64_t, columns>{
                     one.cycle, one.pc, one.opcode, static_cast<std::uint64_t>(one.access), one.nbytes, one.address,
                     one.value, one.result})
                rows.push_back(value);
    }
    const std::size_t count = rows.size() / columns;
    return array_of(std::move(rows), {count, columns});
}

template <const std::vector<std::uint64_t>& (ExecutionLog::*Values)() const>
nb::object per_word(const PyLog& self) {
    std::vector<std::uint64_t> values;
    {
        const nb::gil_scoped_release release;
        const auto lock = self.machine->lock();
        values = ((*self.log).*Values)();
    }
    const std::size_t count = values.size();
    return array_of(std::move(values), {count});
}

}  // namespace

void bind_iops(nb::class_<PyParts>& parts) {
    parts
        .def("add_iop", &add_iop, "base"_a, "name"_a, "units"_a, "clock"_a, "local_bytes"_a, "window_base"_a,
             "window_bytes"_a, "window_physical"_a, "memory_cycles"_a, "peripheral_cycles"_a)
        .def("add_peripheral", &add_peripheral, "base"_a, "kind"_a, "parameters"_a, "line"_a)
        .def("add_iop_peripheral", &add_iop_peripheral, "iop"_a, "base"_a, "kind"_a, "parameters"_a)
        .def("connect_interrupt", &connect_interrupt, "controller"_a, "input"_a, "source"_a)
        .def("connect_line", &connect_line, "controller"_a, "input"_a, "line"_a)
        .def("connect_iop_reset", &connect_reset, "iop"_a, "gpio"_a, "pin"_a)
        .def("connect_iop_controller", &connect_controller, "iop"_a, "controller"_a)
        .def("connect_iop_caller", &connect_caller, "iop"_a, "caller"_a, "gpio"_a, "acknowledge_pin"_a, "line"_a)
        .def("iop_fault", &fault, "iop"_a, Release())
        .def("iop_state", &state, "iop"_a, Release())
        .def("iop_lag",
             [](PyParts& self, std::size_t iop) {
                 const auto lock = self.machine->lock();
                 return to_seconds(self.iops.at(iop)->lag());
             },
             "iop"_a, Release())
        .def("set_iop_lag",
             [](PyParts& self, std::size_t iop, double seconds) {
                 const auto lock = self.machine->lock();
                 self.iops.at(iop)->set_lag(to_time(seconds));
             },
             "iop"_a, "seconds"_a, Release())
        .def("observe_iop", &observe, "iop"_a, "keep"_a, "limit"_a)
        .def("forget_iop",
             [](PyParts& self, std::size_t iop) {
                 const auto lock = self.machine->lock();
                 self.iops.at(iop)->observe(nullptr);
             },
             "iop"_a, Release());
}

void bind_execution_log(nb::module_& m) {
    nb::class_<PyLog>(m, "ExecutionLog")
        .def("records", &records)
        .def_prop_ro("dropped",
                     [](const PyLog& self) {
                         const nb::gil_scoped_release release;
                         const auto lock = self.machine->lock();
                         return self.log->dropped();
                     })
        .def("counts", &per_word<&ExecutionLog::counts>)
        .def("cycles", &per_word<&ExecutionLog::cycles>);
}

}  // namespace gapless
