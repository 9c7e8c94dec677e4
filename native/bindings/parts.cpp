// What a board is made of, by number.
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
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

std::size_t add_dma(PyParts& self, std::uint64_t base, std::string name, bool scatter_gather, unsigned length_width,
                    unsigned address_width, std::uint32_t data_bytes, bool realignment, double clock,
                    int mm2s_interrupt, int s2mm_interrupt, std::vector<std::size_t> ports, std::uint32_t memory_bytes,
                    std::vector<std::pair<std::uint64_t, std::uint64_t>> reach) {
    if (length_width < 8 || length_width > 26) throw nb::value_error("length_width is 8 to 26 bits (PG021)");
    if (address_width < 32 || address_width > 64) throw nb::value_error("address_width is 32 to 64 bits (PG021)");
    if (data_bytes < 4 || data_bytes > 128 || (data_bytes & (data_bytes - 1)) != 0)
        throw nb::value_error("data_bytes is a power of two from 4 to 128 (PG021)");
    check_line(mm2s_interrupt);
    check_line(s2mm_interrupt);
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
    config.memory_bytes = memory_bytes;
    config.reach = std::move(reach);
    if (ports.size() != config.ports.size()) throw nb::value_error("ports: one for each of the kinds of memory");
    for (std::size_t kind = 0; kind < ports.size(); ++kind) config.ports[kind] = &self.machine->port(ports[kind]);
    self.dmas.push_back(&self.parts->add_dma(base, std::move(config)));
    return self.dmas.size() - 1;
}

std::size_t add_zdma(PyParts& self, std::uint64_t base, std::string name, unsigned bus_bytes, int interrupt,
                     std::vector<std::size_t> ports) {
    if (bus_bytes != 8 && bus_bytes != 16) throw nb::value_error("bus_bytes is 8 (ADMA) or 16 (GDMA)");
    check_line(interrupt);
    ZdmaConfig config;
    config.name = std::move(name);
    config.bus_bytes = bus_bytes;
    config.interrupt = interrupt;
    if (ports.size() != config.ports.size()) throw nb::value_error("ports: one for each of the kinds of memory");
    for (std::size_t kind = 0; kind < ports.size(); ++kind) config.ports[kind] = &self.machine->port(ports[kind]);
    self.zdmas.push_back(&self.parts->add_zdma(base, std::move(config)));
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

void set_adc_waveform(PyParts& self, std::size_t adc, Samples samples) {
    if (samples.size() == 0) throw nb::value_error("a waveform has at least one sample");
    std::vector<std::uint8_t> copy(samples.data(), samples.data() + samples.size());
    nb::gil_scoped_release release;
    const auto lock = self.machine->lock();
    self.adcs.at(adc)->set_source(std::make_unique<WaveformSource>(std::move(copy)));
}

void set_tap(PyParts& self, std::size_t dac, nb::object callback) {
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

void flush_tap(PyParts& self, std::size_t dac) {
    const auto lock = self.machine->lock();
    if (dac < self.taps.size() && self.taps[dac] != nullptr) self.taps[dac]->flush();
}

}  // namespace

AddressSpace::Memory memory_at(std::uint64_t base, std::uint64_t size, std::shared_ptr<HostMemory> memory,
                               std::uint64_t offset, int kind, bool guarded) {
    if (kind < 0 || kind > 3) throw nb::value_error("kind is 0 to 3");
    std::uint8_t* data = memory->at(offset, size);
    return {base, size, data, std::move(memory), kind, guarded};
}

void check_line(int line) {
    if (line >= InterruptLines::count) throw nb::value_error("interrupt lines are 0 to 2047");
}

void bind_parts(nb::class_<PyParts>& parts) {
    parts
        .def("add_memory",
             [](PyParts& self, std::uint64_t base, std::uint64_t size, std::shared_ptr<HostMemory> memory,
                std::uint64_t offset, int kind, bool guarded) {
                 self.parts->add_memory(memory_at(base, size, std::move(memory), offset, kind, guarded));
             },
             "base"_a, "size"_a, "memory"_a, "offset"_a, "kind"_a, "guarded"_a)
        .def("add_dma", &add_dma, "base"_a, "name"_a, "scatter_gather"_a, "length_width"_a, "address_width"_a,
             "data_bytes"_a, "realignment"_a, "clock"_a, "mm2s_interrupt"_a, "s2mm_interrupt"_a, "ports"_a,
             "memory_bytes"_a = 0, "reach"_a = std::vector<std::pair<std::uint64_t, std::uint64_t>>())
        .def("add_zdma", &add_zdma, "base"_a, "name"_a, "bus_bytes"_a, "interrupt"_a, "ports"_a)
        .def("add_dac",
             [](PyParts& self, std::uint64_t base, std::uint32_t samples_per_beat, std::uint32_t fifo_bytes) {
                 self.dacs.push_back(&self.parts->add_dac(base, samples_per_beat, fifo_bytes));
                 return self.dacs.size() - 1;
             },
             "base"_a, "samples_per_beat"_a, "fifo_bytes"_a)
        .def("add_adc",
             [](PyParts& self, std::uint64_t base, std::uint32_t samples_per_beat, std::uint32_t fifo_bytes) {
                 self.adcs.push_back(&self.parts->add_adc(base, samples_per_beat, fifo_bytes));
                 return self.adcs.size() - 1;
             },
             "base"_a, "samples_per_beat"_a, "fifo_bytes"_a)
        .def("add_splitter",
             [](PyParts& self, std::uint64_t base, const std::vector<std::size_t>& dacs) {
                 self.splitters.push_back(&self.parts->add_splitter(base, chosen(self.dacs, dacs)));
                 return self.splitters.size() - 1;
             },
             "base"_a, "dacs"_a)
        .def("add_combiner",
             [](PyParts& self, std::uint64_t base, const std::vector<std::size_t>& adcs) {
                 self.combiners.push_back(&self.parts->add_combiner(base, chosen(self.adcs, adcs)));
                 return self.combiners.size() - 1;
             },
             "base"_a, "adcs"_a)
        .def("connect_dac",
             [](PyParts& self, std::size_t dma, std::size_t dac) {
                 self.dmas.at(dma)->mm2s().connect(self.dacs.at(dac));
             },
             "dma"_a, "dac"_a)
        .def("connect_adc",
             [](PyParts& self, std::size_t dma, std::size_t adc) {
                 self.dmas.at(dma)->s2mm().connect(self.adcs.at(adc));
             },
             "dma"_a, "adc"_a)
        .def("connect_splitter",
             [](PyParts& self, std::size_t dma, std::size_t splitter) {
                 self.dmas.at(dma)->mm2s().connect(self.splitters.at(splitter));
             },
             "dma"_a, "splitter"_a)
        .def("connect_combiner",
             [](PyParts& self, std::size_t dma, std::size_t combiner) {
                 self.dmas.at(dma)->s2mm().connect(self.combiners.at(combiner));
             },
             "dma"_a, "combiner"_a)
        .def("connect_fifo",
             [](PyParts& self, std::size_t from, std::size_t to, std::uint32_t depth) {
                 StreamFifo& fifo = self.parts->add_fifo(depth);
                 self.dmas.at(from)->mm2s().connect(&fifo);
                 self.dmas.at(to)->s2mm().connect(&fifo);
             },
             "mm2s_dma"_a, "s2mm_dma"_a, "depth"_a)
        .def("set_adc_counter",
             [](PyParts& self, std::size_t adc) {
                 const auto lock = self.machine->lock();
                 self.adcs.at(adc)->set_source(std::make_unique<CounterSource>());
             },
             "adc"_a, Release())
        .def("set_adc_waveform", &set_adc_waveform, "adc"_a, "samples"_a)
        .def("set_adc_loopback",
             [](PyParts& self, std::size_t adc, std::size_t dac) {
                 const auto lock = self.machine->lock();
                 self.adcs.at(adc)->set_loopback(*self.dacs.at(dac));
             },
             "adc"_a, "dac"_a, Release())
        .def("set_tap", &set_tap, "dac"_a, "callback"_a.none())
        .def("flush_tap", &flush_tap, "dac"_a, Release())
        .def("set_stalled",
             [](PyParts& self, std::size_t dma, const std::string& channel, bool stalled) {
                 const auto lock = self.machine->lock();
                 self.channel(dma, channel).set_stalled(stalled, self.machine->now());
             },
             "dma"_a, "channel"_a, "stalled"_a, Release())
        .def("set_interrupt_lost",
             [](PyParts& self, std::size_t dma, const std::string& channel, bool lost) {
                 const auto lock = self.machine->lock();
                 self.channel(dma, channel).set_interrupt_lost(lost);
             },
             "dma"_a, "channel"_a, "lost"_a, Release())
        .def("set_zdma_interrupt_lost",
             [](PyParts& self, std::size_t zdma, bool lost) {
                 const auto lock = self.machine->lock();
                 self.zdmas.at(zdma)->set_interrupt_lost(lost);
             },
             "zdma"_a, "lost"_a, Release());
}

}  // namespace gapless
