// Memory of a real Linux in Python: /dev/mem in windows.
#include <exception>
#include <system_error>

#include "bindings/bindings.hpp"
#include "bindings/view.hpp"
#include "memory/windowed_memory.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace gapless {
namespace {

// As OSError, with its errno.
void translate_system_error(const std::exception_ptr& error, void*) {
    try {
        std::rethrow_exception(error);
    } catch (const std::system_error& failed) {
        const nb::object arguments = nb::make_tuple(failed.code().value(), failed.what());
        PyErr_SetObject(PyExc_OSError, arguments.ptr());
    }
}

}  // namespace

void bind_linux_memory(nb::module_& m) {
    nb::register_exception_translator(&translate_system_error);

    nb::class_<WindowedMemory>(m, "WindowedMemory")
        .def(nb::init<int, std::uint64_t, std::uint64_t, std::uint64_t>(), "descriptor"_a, "base"_a, "size"_a,
             "window"_a = WindowedMemory::kWindow)
        .def_prop_ro("size", &WindowedMemory::size)
        .def_prop_ro("mapped", &WindowedMemory::mapped)
        .def("view", &view<WindowedMemory>, "offset"_a, "nbytes"_a, "owner"_a.none())
        .def("reach", &WindowedMemory::reach, nb::call_guard<nb::gil_scoped_release>(), "offset"_a, "nbytes"_a)
        .def("discard", &WindowedMemory::discard, nb::call_guard<nb::gil_scoped_release>(), "offset"_a, "nbytes"_a);
}

}  // namespace gapless
