// The register bus of a real board in Python.
#include <nanobind/ndarray.h>

#include <stdexcept>

#include "bindings/bindings.hpp"
#include "linux/mmio_bus.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace gapless {
namespace {

struct PyMmioBus : PyBus {
    PyMmioBus() : PyMmioBus(std::make_shared<MmioBus>()) {}
    MmioBus& mmio() { return static_cast<MmioBus&>(*bus); }

private:
    explicit PyMmioBus(std::shared_ptr<MmioBus> made) : PyBus(std::move(made)) {}
};

using Registers = nb::ndarray<std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// A bus may be let go of by a thread that has no interpreter.
std::shared_ptr<void> keep(Registers registers) {
    return {new Registers(std::move(registers)), [](Registers* kept) {
                const nb::gil_scoped_acquire acquire;
                delete kept;
            }};
}

void add_window(PyMmioBus& self, std::uint64_t base, Registers registers) {
    const std::uint64_t size = registers.size();
    void* const host = registers.data();
    self.mmio().add_window(base, size, host, keep(std::move(registers)));
}

}  // namespace

void bind_linux(nb::module_& m) {
    nb::class_<PyMmioBus, PyBus>(m, "MmioBus")
        .def(nb::init<>())
        .def("add_window", &add_window, "base"_a, "registers"_a)
        .def("add_uio_line",
             [](PyMmioBus& self, unsigned number, int descriptor) { self.mmio().add_uio_line(number, descriptor); },
             "number"_a, "descriptor"_a)
        .def("add_polled_line",
             [](PyMmioBus& self, unsigned number, std::uint64_t address, std::uint32_t mask) {
                 self.mmio().add_polled_line(number, address, mask);
             },
             "number"_a, "address"_a, "mask"_a);
}

}  // namespace gapless
