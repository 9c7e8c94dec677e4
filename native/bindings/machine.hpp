#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bindings.hpp"
#include "bindings/tap.hpp"
#include "model/machine.hpp"

namespace gapless {

// Parts by number, in the order in which they were added. Letting go of them may take locks that a thread which waits
// for the interpreter holds, so the interpreter is released first.
struct PyParts {
    PyParts(std::shared_ptr<Machine> board, std::shared_ptr<Parts> assembled)
        : machine(std::move(board)), parts(std::move(assembled)) {}
    PyParts(PyParts&&) = default;
    ~PyParts() {
        nanobind::gil_scoped_release release;
        taps.clear();
        parts.reset();
        machine.reset();
    }

    DmaChannel& channel(std::size_t dma, const std::string& name) {
        AxiDma& found = *dmas.at(dma);
        if (name == "mm2s") return found.mm2s();
        if (name == "s2mm") return found.s2mm();
        throw nanobind::value_error("a DMA's channels are 'mm2s' and 's2mm'");
    }

    std::shared_ptr<Machine> machine;
    std::shared_ptr<Parts> parts;
    bool loaded = false;
    std::vector<AxiDma*> dmas;
    std::vector<Zdma*> zdmas;
    std::vector<Dac*> dacs;
    std::vector<Adc*> adcs;
    std::vector<Splitter*> splitters;
    std::vector<Combiner*> combiners;
    std::vector<Iop*> iops;
    std::vector<std::shared_ptr<Tap>> taps;
};

// A board's machine; as parts, what is always there.
struct PyMachine : PyParts {
    explicit PyMachine(std::shared_ptr<Machine> board) : PyParts(board, board->fixed()) {}
    PyMachine(double read_cost, double write_cost, double slowdown)
        : PyMachine(std::make_shared<Machine>(AccessCost{to_time(read_cost), to_time(write_cost)}, slowdown)) {}
};

class HostMemory;
AddressSpace::Memory memory_at(std::uint64_t base, std::uint64_t size, std::shared_ptr<HostMemory> memory,
                               std::uint64_t offset, int kind, bool guarded);
void check_line(int line);

void bind_parts(nanobind::class_<PyParts>& parts);
void bind_iops(nanobind::class_<PyParts>& parts);
void bind_ip_models(nanobind::module_& m, nanobind::class_<PyParts>& parts);

}  // namespace gapless
