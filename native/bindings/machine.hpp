#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bindings/bindings.hpp"
#include "bindings/tap.hpp"
#include "model/machine.hpp"

namespace gapless {

// The machine with its parts by number, in the order in which they were added.
struct PyMachine {
    PyMachine(double read_cost, double write_cost, double slowdown)
        : machine(std::make_shared<Machine>(AccessCost{to_time(read_cost), to_time(write_cost)}, slowdown)) {}
    PyMachine(PyMachine&&) = default;
    ~PyMachine() {
        nanobind::gil_scoped_release release;
        taps.clear();
        machine.reset();
    }

    DmaChannel& channel(std::size_t dma, const std::string& name) {
        AxiDma& found = *dmas.at(dma);
        if (name == "mm2s") return found.mm2s();
        if (name == "s2mm") return found.s2mm();
        throw nanobind::value_error("a DMA's channels are 'mm2s' and 's2mm'");
    }

    std::shared_ptr<Machine> machine;
    std::vector<Port*> ports;
    std::vector<AxiDma*> dmas;
    std::vector<Zdma*> zdmas;
    std::vector<Dac*> dacs;
    std::vector<Adc*> adcs;
    std::vector<Splitter*> splitters;
    std::vector<Combiner*> combiners;
    std::vector<Iop*> iops;
    std::vector<std::shared_ptr<Tap>> taps;
};

void bind_iops(nanobind::class_<PyMachine>& machine);
void bind_ip_models(nanobind::module_& m, nanobind::class_<PyMachine>& machine);

}  // namespace gapless
