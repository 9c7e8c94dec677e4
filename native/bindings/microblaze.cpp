// MicroBlaze in Python: a processor alone on a bench, for tests of the processor itself.
#include "microblaze/cpu.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "bindings/bindings.hpp"
#include "bindings/view.hpp"
#include "memory/host_memory.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace gapless {
namespace {

using microblaze::Config;
using microblaze::Cpu;
using microblaze::Executed;
using microblaze::Fault;
using microblaze::Multiplier;
using microblaze::Reply;
using microblaze::Stop;

// Plain memory in a window of addresses, and nothing else.
class Window final : public microblaze::DataBus {
public:
    Window(std::shared_ptr<HostMemory> memory, std::uint32_t base) : memory_(std::move(memory)), base_(base) {}

    Reply load(std::uint32_t address, unsigned nbytes, std::uint32_t& value, std::uint64_t) override {
        const std::uint8_t* const bytes = at(address, nbytes);
        if (bytes == nullptr) return error();
        value = 0;
        std::memcpy(&value, bytes, nbytes);
        return {};
    }
    Reply store(std::uint32_t address, unsigned nbytes, std::uint32_t value, std::uint64_t) override {
        std::uint8_t* const bytes = at(address, nbytes);
        if (bytes == nullptr) return error();
        std::memcpy(bytes, &value, nbytes);
        return {};
    }

private:
    std::uint8_t* at(std::uint32_t address, unsigned nbytes) const {
        const std::uint64_t offset = std::uint64_t{address} - base_;
        if (memory_ == nullptr || address < base_ || offset + nbytes > memory_->size()) return nullptr;
        return memory_->data() + offset;
    }
    static Reply error() {
        Reply reply;
        reply.kind = Reply::Kind::error;
        return reply;
    }

    const std::shared_ptr<HostMemory> memory_;
    const std::uint32_t base_;
};

Multiplier multiplier(const std::string& name) {
    if (name == "none") return Multiplier::none;
    if (name == "mul32") return Multiplier::mul32;
    if (name == "mul64") return Multiplier::mul64;
    throw std::invalid_argument("multiplier is \"none\", \"mul32\" or \"mul64\", not \"" + name + "\"");
}

const char* name(Stop stop) {
    constexpr const char* names[] = {"limit", "settled", "yielded", "fault"};
    return names[static_cast<int>(stop)];
}
const char* name(Fault::Kind kind) {
    constexpr const char* names[] = {"illegal_opcode", "unaligned", "data_bus", "instruction_bus", "refused"};
    return names[static_cast<int>(kind)];
}
const char* name(Executed::Access access) {
    constexpr const char* names[] = {"", "load", "store"};
    return names[static_cast<int>(access)];
}

struct Recorder final : microblaze::Observer {
    void executed(const Executed& instruction) override { records.push_back(instruction); }
    std::vector<Executed> records;
};

// (cycle, pc, opcode, access, nbytes, address, value, result)
using Record = std::tuple<std::uint64_t, std::uint32_t, std::uint32_t, const char*, unsigned, std::uint32_t,
                          std::uint32_t, std::uint32_t>;

class Bench {
public:
    Bench(std::uint32_t local_bytes, const Config& config, std::shared_ptr<HostMemory> memory, std::uint32_t base)
        : local_(local_bytes), window_(std::move(memory), base), cpu(config, local_.data(), local_bytes, window_) {}

    // Exactly so many instructions, unless it sleeps or faults.
    Stop step(std::uint64_t count, microblaze::Observer* observer) {
        const std::uint64_t end = cpu.instructions() + count;
        Stop stop = Stop::limit;
        while (cpu.instructions() < end) {
            const std::uint64_t before = cpu.cycle();
            stop = cpu.run(cpu.cycle() + 1, observer);
            if (stop == Stop::fault || cpu.cycle() == before) break;
        }
        return stop;
    }
    void write_local(std::uint32_t address, const nb::bytes& data) {
        check(address, data.size());
        std::memcpy(local_.data() + address, data.data(), data.size());
        cpu.local_written(address, static_cast<std::uint32_t>(data.size()));
    }
    // As View has it: where the bytes are.
    std::uint8_t* at(std::uint64_t, std::uint64_t) { return local_.data(); }
    std::uint64_t size() const { return local_.size(); }
    void check(std::uint64_t address, std::uint64_t nbytes) const {
        if (address > local_.size() || nbytes > local_.size() - address)
            throw nb::index_error("not inside local memory");
    }

private:
    std::vector<std::uint8_t> local_;
    Window window_;

public:
    Cpu cpu;
};

using Released = nb::call_guard<nb::gil_scoped_release>;

}  // namespace

void bind_microblaze(nb::module_& m) {
    nb::class_<Bench>(m, "MicroBlaze")
        .def("__init__",
             [](Bench* self, std::uint32_t local_bytes, const std::string& multiplier_name, bool barrel_shifter,
                bool divider, bool pattern_compare, bool msr_instructions, bool reorder,
                bool illegal_opcode_exception, bool unaligned_exceptions, bool bus_exceptions, bool divide_exception,
                std::shared_ptr<HostMemory> memory, std::uint32_t memory_base) {
                 const Config config{multiplier(multiplier_name), barrel_shifter, divider, pattern_compare,
                                     msr_instructions, reorder, illegal_opcode_exception, unaligned_exceptions,
                                     bus_exceptions, divide_exception};
                 new (self) Bench(local_bytes, config, std::move(memory), memory_base);
             },
             "local_bytes"_a = 65536, nb::kw_only(), "multiplier"_a = "none", "barrel_shifter"_a = false,
             "divider"_a = false, "pattern_compare"_a = false, "msr_instructions"_a = false, "reorder"_a = true,
             "illegal_opcode_exception"_a = false, "unaligned_exceptions"_a = false, "bus_exceptions"_a = false,
             "divide_exception"_a = false, "memory"_a.none() = nb::none(), "memory_base"_a = 0x2000'0000)
        .def_prop_ro("local",
                     [](nb::handle_t<Bench> self) {
                         return view<Bench>(self, 0, nb::cast<Bench&>(self).size(), nb::none());
                     })
        .def("local_written",
             [](Bench& self, std::uint32_t address, std::uint32_t nbytes) {
                 self.check(address, nbytes);
                 self.cpu.local_written(address, nbytes);
             },
             "address"_a, "nbytes"_a)
        .def("write_local", &Bench::write_local, "address"_a, "data"_a)
        .def_prop_ro("registers",
                     [](const Bench& self) {
                         const auto registers = self.cpu.registers();
                         return std::vector<std::uint32_t>(registers.begin(), registers.end());
                     })
        .def("set_register",
             [](Bench& self, unsigned number, std::uint32_t value) {
                 if (number > 31) throw nb::index_error("registers are 0 to 31");
                 self.cpu.set_register(number, value);
             },
             "number"_a, "value"_a)
        .def_prop_rw("pc", [](const Bench& self) { return self.cpu.pc(); },
                     [](Bench& self, std::uint32_t value) { self.cpu.set_pc(value); })
        .def_prop_rw("msr", [](const Bench& self) { return self.cpu.msr(); },
                     [](Bench& self, std::uint32_t value) { self.cpu.set_msr(value); })
        .def_prop_ro("esr", [](const Bench& self) { return self.cpu.esr(); })
        .def_prop_ro("ear", [](const Bench& self) { return self.cpu.ear(); })
        .def_prop_ro("btr", [](const Bench& self) { return self.cpu.btr(); })
        .def_prop_ro("cycle", [](const Bench& self) { return self.cpu.cycle(); })
        .def_prop_ro("instructions", [](const Bench& self) { return self.cpu.instructions(); })
        .def_prop_rw("interrupt", [](const Bench& self) { return self.cpu.interrupt(); },
                     [](Bench& self, bool level) { self.cpu.set_interrupt(level); })
        .def("wake", [](Bench& self) { self.cpu.wake(); })
        .def_prop_ro("fault",
                     [](const Bench& self) -> nb::object {
                         if (!self.cpu.faulted()) return nb::none();
                         const Fault& fault = self.cpu.fault();
                         return nb::make_tuple(name(fault.kind), fault.pc, fault.opcode, fault.address, fault.text);
                     })
        .def("run", [](Bench& self, std::uint64_t cycles) { return name(self.cpu.run(self.cpu.cycle() + cycles)); },
             Released(), "cycles"_a)
        .def("step", [](Bench& self, std::uint64_t count) { return name(self.step(count, nullptr)); }, Released(),
             "count"_a = 1)
        .def("pass_", [](Bench& self, std::uint64_t cycles) { self.cpu.pass(self.cpu.cycle() + cycles); }, "cycles"_a)
        .def("delay", [](Bench& self, std::uint64_t cycles) { self.cpu.delay(self.cpu.cycle() + cycles); },
             "cycles"_a)
        .def("reset", [](Bench& self) { self.cpu.reset(); })
        .def("trace",
             [](Bench& self, std::uint64_t limit) {
                 Recorder recorder;
                 {
                     const nb::gil_scoped_release release;
                     self.step(limit, &recorder);
                 }
                 std::vector<Record> records;
                 for (const Executed& e : recorder.records)
                     records.emplace_back(e.cycle, e.pc, e.opcode, name(e.access), e.nbytes, e.address, e.value,
                                          e.result);
                 return records;
             },
             "limit"_a);

    m.def("disassemble_microblaze", &microblaze::disassemble, "opcode"_a, "address"_a, "prefix"_a = -1);
}

}  // namespace gapless
