#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstring>

#include "bindings/bindings.hpp"
#include "bindings/machine.hpp"
#include "memory/host_memory.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using Release = nb::call_guard<nb::gil_scoped_release>;

namespace gapless {
namespace {

std::size_t add_dma(PyMachine& self, std::uint64_t base, std::string name, bool scatter_gather, unsigned length_width,
                    unsigned address_width, std::uint32_t data_bytes, bool realignment, double clock,
                    int mm2s_interrupt, int s2mm_interrupt, std::vector<std::size_t> ports) {
    if (length_width < 8 || length_width > 26) throw nb::value_error("length_width is 8 to 26 bits (PG021)");
    if (address_width < 32 || address_width > 64) throw nb::value_error("address_width is 32 to 64 bits (PG021)");
    if (data_bytes < 4 || data_bytes > 128 || (data_bytes & (data_bytes - 1)) != 0)
        throw nb::value_error("data_bytes is a power of two from 4 to 128 (PG021)");
    if (mm2s_interrupt >= InterruptLines::count || s2mm_interrupt >= InterruptLines::count)
        throw nb::value_error("interrupt lines are 0 to 255");
    DmaConfig config;
    config.name = std::move(name);
    config.scatter_gather = scatter_gather;
    config.length_width = length_width;
    config.address_width = address_width;
    config.data_bytes = data_bytes;
    config.realignment = realignment;
    config.clock = clock;
    config.mm2s_interrupt = mm2s_interrupt;
    config.s2mm_interrupt = s2mm_interrupt;
    if (ports.size() != config.ports.size()) throw nb::value_error("ports: one for each of the kinds of memory");
    for (std::size_t kind = 0; kind < ports.size(); ++kind) config.ports[kind] = self.ports.at(ports[kind]);
    self.dmas.push_back(&self.machine->add_dma(base, std::move(config)));
    return self.dmas.size() - 1;
}

std::size_t add_zdma(PyMachine& self, std::uint64_t base, std::string name, unsigned bus_bytes, int interrupt,
                     std::vector<std::size_t> ports) {
    if (bus_bytes != 8 && bus_bytes != 16) throw nb::value_error("bus_bytes is 8 (ADMA) or 16 (GDMA)");
    if (interrupt >= InterruptLines::count) throw nb::value_error("interrupt lines are 0 to 255");
    ZdmaConfig config;
    config.name = std::move(name);
    config.bus_bytes = bus_bytes;
    config.interrupt = interrupt;
    if (ports.size() != config.ports.size()) throw nb::value_error("ports: one for each of the kinds of memory");
    for (std::size_t kind = 0; kind < ports.size(); ++kind) config.ports[kind] = self.ports.at(ports[kind]);
    self.zdmas.push_back(&self.machine->add_zdma(base, std::move(config)));
    return self.zdmas.size() - 1;
}

// The converters with these numbers, which are to run in step.
template <typename T>
std::vector<T*> chosen(const std::vector<T*>& known, const std::vector<std::size_t>& numbers) {
    if (numbers.size() != 2 && numbers.size() != 4 && numbers.size() != 8)
        throw nb::value_error("2, 4 or 8 converters run in step");
    std::vector<T*> found;
    for (std::size_t number : numbers) found.push_back(known.at(number));
    return found;
}

using Samples = nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

void set_adc_waveform(PyMachine& self, std::size_t adc, Samples samples) {
    if (samples.size() == 0) throw nb::value_error("a waveform has at least one sample");
    std::vector<std::uint8_t> copy(samples.data(), samples.data() + samples.size());
    nb::gil_scoped_release release;
    const auto lock = self.machine->lock();
    self.adcs.at(adc)->set_source(std::make_unique<WaveformSource>(std::move(copy)));
}

void set_tap(PyMachine& self, std::size_t dac, nb::object callback) {
    std::shared_ptr<Tap> tap = callback.is_none() ? nullptr : std::make_shared<Tap>(std::move(callback), self.machine.get());
    nb::gil_scoped_release release;
    const auto lock = self.machine->lock();
    if (self.taps.size() <= dac) self.taps.resize(dac + 1);
    Dac& target = *self.dacs.at(dac);
    if (tap == nullptr)
        target.set_tap(nullptr);
    else
        target.set_tap([tap](const std::uint8_t* data, std::size_t nbytes) { tap->add(data, nbytes); });
    self.taps[dac] = tap;
}

void flush_tap(PyMachine& self, std::size_t dac) {
    const auto lock = self.machine->lock();
    if (dac < self.taps.size() && self.taps[dac] != nullptr) self.taps[dac]->flush();
}

std::vector<std::tuple<double, std::string, std::string, std::uint64_t>> findings(PyMachine& self) {
    const auto lock = self.machine->lock_also_in_callback();
    std::vector<std::tuple<double, std::string, std::string, std::uint64_t>> list;
    for (const Finding& finding : self.machine->findings().list())
        list.emplace_back(to_seconds(finding.time), finding.kind, finding.text, finding.address);
    return list;
}

}  // namespace

void bind_model(nb::module_& m) {
    nb::class_<PyMachine> machine(m, "Machine");  // one board's models
    machine
        .def(nb::init<double, double, double>(), "read_cost"_a, "write_cost"_a, "slowdown"_a = 0.0)
        .def("add_port",
             [](PyMachine& self, double bandwidth) {
                 self.ports.push_back(&self.machine->add_port(bandwidth));
                 return self.ports.size() - 1;
             },
             "bandwidth"_a)
        .def("add_memory",
             [](PyMachine& self, std::uint64_t base, std::uint64_t size, std::shared_ptr<HostMemory> memory,
                std::uint64_t offset, int kind, bool guarded) {
                 if (kind < 0 || kind > 3) throw nb::value_error("kind is 0 to 3");
                 self.machine->memory().add_memory(base, size, memory->at(offset, size), memory, kind, guarded);
             },
             "base"_a, "size"_a, "memory"_a, "offset"_a, "kind"_a, "guarded"_a)
        .def("add_dma", &add_dma, "base"_a, "name"_a, "scatter_gather"_a, "length_width"_a, "address_width"_a,
             "data_bytes"_a, "realignment"_a, "clock"_a, "mm2s_interrupt"_a, "s2mm_interrupt"_a, "ports"_a)
        .def("add_zdma", &add_zdma, "base"_a, "name"_a, "bus_bytes"_a, "interrupt"_a, "ports"_a)
        .def("add_dac",
             [](PyMachine& self, std::uint64_t base, std::uint32_t samples_per_beat, std::uint32_t fifo_bytes) {
                 self.dacs.push_back(&self.machine->add_dac(base, samples_per_beat, fifo_bytes));
                 return self.dacs.size() - 1;
             },
             "base"_a, "samples_per_beat"_a, "fifo_bytes"_a)
        .def("add_adc",
             [](PyMachine& self, std::uint64_t base, std::uint32_t samples_per_beat, std::uint32_t fifo_bytes) {
                 self.adcs.push_back(&self.machine->add_adc(base, samples_per_beat, fifo_bytes));
                 return self.adcs.size() - 1;
             },
             "base"_a, "samples_per_beat"_a, "fifo_bytes"_a)
        .def("add_splitter",
             [](PyMachine& self, std::uint64_t base, const std::vector<std::size_t>& dacs) {
                 self.splitters.push_back(&self.machine->add_splitter(base, chosen(self.dacs, dacs)));
                 return self.splitters.size() - 1;
             },
             "base"_a, "dacs"_a)
        .def("add_combiner",
             [](PyMachine& self, std::uint64_t base, const std::vector<std::size_t>& adcs) {
                 self.combiners.push_back(&self.machine->add_combiner(base, chosen(self.adcs, adcs)));
                 return self.combiners.size() - 1;
             },
             "base"_a, "adcs"_a)
        .def("connect_dac",
             [](PyMachine& self, std::size_t dma, std::size_t dac) {
                 self.dmas.at(dma)->mm2s().connect(self.dacs.at(dac));
             },
             "dma"_a, "dac"_a)
        .def("connect_adc",
             [](PyMachine& self, std::size_t dma, std::size_t adc) {
                 self.dmas.at(dma)->s2mm().connect(self.adcs.at(adc));
             },
             "dma"_a, "adc"_a)
        .def("connect_splitter",
             [](PyMachine& self, std::size_t dma, std::size_t splitter) {
                 self.dmas.at(dma)->mm2s().connect(self.splitters.at(splitter));
             },
             "dma"_a, "splitter"_a)
        .def("connect_combiner",
             [](PyMachine& self, std::size_t dma, std::size_t combiner) {
                 self.dmas.at(dma)->s2mm().connect(self.combiners.at(combiner));
             },
             "dma"_a, "combiner"_a)
        .def("connect_fifo",
             [](PyMachine& self, std::size_t from, std::size_t to, std::uint32_t depth) {
                 StreamFifo& fifo = self.machine->add_fifo(depth);
                 self.dmas.at(from)->mm2s().connect(&fifo);
                 self.dmas.at(to)->s2mm().connect(&fifo);
             },
             "mm2s_dma"_a, "s2mm_dma"_a, "depth"_a)
        .def("bus", [](PyMachine& self) { return PyBus(self.machine->bus()); }, Release())
        .def("allocated",
             [](PyMachine& self, std::uint64_t base, std::uint64_t nbytes) {
                 const auto lock = self.machine->lock_also_in_callback();
                 self.machine->memory().allocated(base, nbytes);
             },
             "address"_a, "nbytes"_a, Release())
        .def("released",
             [](PyMachine& self, std::uint64_t base, std::uint64_t nbytes) {
                 const auto lock = self.machine->lock_also_in_callback();
                 self.machine->released(base, nbytes);
             },
             "address"_a, "nbytes"_a, Release())
        .def("set_adc_counter",
             [](PyMachine& self, std::size_t adc) {
                 const auto lock = self.machine->lock();
                 self.adcs.at(adc)->set_source(std::make_unique<CounterSource>());
             },
             "adc"_a, Release())
        .def("set_adc_waveform", &set_adc_waveform, "adc"_a, "samples"_a)
        .def("set_adc_loopback",
             [](PyMachine& self, std::size_t adc, std::size_t dac) {
                 const auto lock = self.machine->lock();
                 self.adcs.at(adc)->set_loopback(*self.dacs.at(dac));
             },
             "adc"_a, "dac"_a, Release())
        .def("set_tap", &set_tap, "dac"_a, "callback"_a.none())
        .def("flush_tap", &flush_tap, "dac"_a, Release())
        .def("findings", &findings, Release())
        .def("add_slave_error",
             [](PyMachine& self, std::uint64_t base, std::uint64_t size) {
                 const auto lock = self.machine->lock();
                 self.machine->memory().add_slave_error(base, size);
             },
             "address"_a, "nbytes"_a, Release())
        .def("clear_slave_errors",
             [](PyMachine& self) {
                 const auto lock = self.machine->lock();
                 self.machine->memory().clear_slave_errors();
             },
             Release())
        .def("set_stalled",
             [](PyMachine& self, std::size_t dma, const std::string& channel, bool stalled) {
                 const auto lock = self.machine->lock();
                 self.channel(dma, channel).set_stalled(stalled, self.machine->now());
             },
             "dma"_a, "channel"_a, "stalled"_a, Release())
        .def("set_interrupt_lost",
             [](PyMachine& self, std::size_t dma, const std::string& channel, bool lost) {
                 const auto lock = self.machine->lock();
                 self.channel(dma, channel).set_interrupt_lost(lost);
             },
             "dma"_a, "channel"_a, "lost"_a, Release())
        .def("set_zdma_interrupt_lost",
             [](PyMachine& self, std::size_t zdma, bool lost) {
                 const auto lock = self.machine->lock();
                 self.zdmas.at(zdma)->set_interrupt_lost(lost);
             },
             "zdma"_a, "lost"_a, Release())
        .def("set_port_speed",
             [](PyMachine& self, std::size_t port, double fraction) {
                 if (!(fraction > 0) || fraction > 1) throw nb::value_error("a port's speed is above 0 and at most 1");
                 const auto lock = self.machine->lock();
                 self.ports.at(port)->set_speed(fraction);
             },
             "port"_a, "fraction"_a, Release());
    bind_iops(machine);
    bind_ip_models(m, machine);
}

}  // namespace gapless
