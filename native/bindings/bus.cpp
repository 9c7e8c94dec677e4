#include "bindings/array_of.hpp"
#include "bindings/bindings.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <vector>

namespace nb = nanobind;
using namespace nb::literals;
using Release = nb::call_guard<nb::gil_scoped_release>;

namespace gapless {
namespace {

void raise(const char* name, const char* message) {
    const nb::object type = nb::module_::import_("gapless.errors").attr(name);
    PyErr_SetString(type.ptr(), message);
}

void translate(const std::exception_ptr& pointer, void*) {
    try {
        std::rethrow_exception(pointer);
    } catch (const BusFault& fault) {
        raise("BusAccessError", fault.what());
    } catch (const Cancelled&) {
        raise("BoardClosedError", "the board was closed");
    }
}

// Letting go of the interpreter costs as much as an access: only where it has to wait.
std::uint32_t read32(PyBus& self, std::uint64_t address) {
    std::uint32_t value = 0;
    if (self.bus->try_read32(address, value)) return value;
    const nb::gil_scoped_release release;
    return self.bus->read32(address);
}

void write32(PyBus& self, std::uint64_t address, std::uint32_t value) {
    if (self.bus->try_write32(address, value)) return;
    const nb::gil_scoped_release release;
    self.bus->write32(address, value);
}

using Words = nb::ndarray<const std::uint32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

void write_words(PyBus& self, std::uint64_t address, Words words) {
    const std::uint32_t* data = words.data();
    const std::size_t count = words.size();
    const nb::gil_scoped_release release;
    for (std::size_t i = 0; i < count; ++i) self.bus->write32(address + 4 * i, data[i]);
}

nb::object read_words(PyBus& self, std::uint64_t address, std::size_t count) {
    std::vector<std::uint32_t> words(count);
    {
        const nb::gil_scoped_release release;
        for (std::size_t i = 0; i < count; ++i) words[i] = self.bus->read32(address + 4 * i);
    }
    return array_of(std::move(words), {count});
}

}  // namespace

void bind_bus(nb::module_& m) {
    nb::register_exception_translator(translate);
    nb::class_<PyBus>(m, "Bus")
        .def("read32", &read32, "address"_a)
        .def("write32", &write32, "address"_a, "value"_a)
        .def("write_words", &write_words, "address"_a, "words"_a)
        .def("read_words", &read_words, "address"_a, "count"_a)
        .def("wait_interrupt",
             [](PyBus& self, unsigned line, double timeout) { return self.bus->wait_interrupt(line, to_time(timeout)); },
             "line"_a, "timeout"_a, Release())
        .def("time", [](PyBus& self) { return to_seconds(self.bus->now()); }, Release())
        .def("sleep",
             [](PyBus& self, double seconds) { self.bus->sleep_until(self.bus->now() + to_time(seconds)); },
             "seconds"_a, Release())
        .def("cancel", [](PyBus& self) { self.bus->cancel(); }, Release());
}

}  // namespace gapless
