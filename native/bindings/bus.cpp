#include "bindings/bindings.hpp"

#include <nanobind/stl/string.h>

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

}  // namespace

void bind_bus(nb::module_& m) {
    nb::register_exception_translator(translate);
    nb::class_<PyBus>(m, "Bus")
        .def("read32", [](PyBus& self, std::uint64_t address) { return self.bus->read32(address); }, "address"_a,
             Release())
        .def("write32",
             [](PyBus& self, std::uint64_t address, std::uint32_t value) { self.bus->write32(address, value); },
             "address"_a, "value"_a, Release())
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
