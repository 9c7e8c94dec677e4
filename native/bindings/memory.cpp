// HostMemory and FreeList in Python, and what DmaBuffer needs: memory to lie on, and the buffer protocol.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include "bindings/bindings.hpp"
#include "bindings/view.hpp"
#include "memory/device_copy.hpp"
#include "memory/free_list.hpp"
#include "memory/host_memory.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace gapless {
namespace {

// Where an array's elements are. By __array_struct__ (numpy's "array interface protocol"), which takes a
// tenth of the time that Python needs for __array_interface__, and is called for every view of a buffer.
std::uintptr_t data_pointer(nb::handle array) {
    struct ArrayInterface {  // as that protocol has it, up to the part wanted
        int two, dimensions;
        char kind;
        int itemsize, flags;
        Py_intptr_t *shape, *strides;
        void* data;
    };
    const nb::object capsule = array.attr("__array_struct__");
    const auto* interface = static_cast<const ArrayInterface*>(PyCapsule_GetPointer(capsule.ptr(), nullptr));
    if (interface == nullptr) throw nb::python_error();
    return reinterpret_cast<std::uintptr_t>(interface->data);
}

// The mapping that a pool lies in, and what of it belongs to one allocation. An Extent exports its bytes,
// so that numpy makes arrays of any shape on it in one call and keeps it as long as one of them is left.
struct Mapping {
    nb::object array;
    std::uint8_t* data;
    std::uint64_t size;
};

struct Extent {
    nb::object array;
    std::uint8_t* data;
    std::uint64_t size;
};

Extent extent(const Mapping& self, std::uint64_t offset, std::uint64_t nbytes) {
    if (offset > self.size || nbytes > self.size - offset) throw nb::index_error("not inside the mapping");
    return {self.array, self.data + offset, nbytes};
}

// The bytes of any contiguous object, for as long as this lives.
class View {
public:
    View(nb::handle object, int flags) {
        if (PyObject_GetBuffer(object.ptr(), &buffer_, flags) != 0) throw nb::python_error();
    }
    ~View() { PyBuffer_Release(&buffer_); }
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    std::uint8_t* data() const { return static_cast<std::uint8_t*>(buffer_.buf); }
    std::size_t size() const { return static_cast<std::size_t>(buffer_.len); }

private:
    Py_buffer buffer_{};
};

void refuse_unequal(const View& device, const View& other) {
    if (device.size() != other.size()) throw nb::value_error("both sides are of one length");
}

int export_extent(PyObject* self, Py_buffer* out, int flags) {
    if (!nb::inst_ready(self)) {  // Extent.__new__(Extent)
        PyErr_SetString(PyExc_BufferError, "not made by Mapping.extent");
        return -1;
    }
    const Extent& extent = *nb::inst_ptr<Extent>(self);
    return PyBuffer_FillInfo(out, self, extent.data, static_cast<Py_ssize_t>(extent.size), 0, flags);
}

PyType_Slot extent_slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(export_extent)}, {0, nullptr}};

#if PY_VERSION_HEX < 0x030C0000
// What Python 3.12 does for a class with __buffer__ (PEP 688): ask it for a memoryview, and let the
// consumer hold that instead of the object.
int buffer_from_method(PyObject* self, Py_buffer* out, int flags) {
    out->obj = nullptr;
    PyObject* exporter = PyObject_CallMethod(self, "__buffer__", "i", flags);
    if (exporter == nullptr) return -1;
    const int result = PyObject_GetBuffer(exporter, out, flags);
    Py_DECREF(exporter);
    return result;
}
#endif

void install_buffer_method(nb::type_object cls) {
#if PY_VERSION_HEX < 0x030C0000
    auto* type = reinterpret_cast<PyTypeObject*>(cls.ptr());
    if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) throw nb::type_error("not a class defined in Python");
    type->tp_as_buffer->bf_getbuffer = buffer_from_method;
    type->tp_as_buffer->bf_releasebuffer = nullptr;  // the memoryview is the exporter: it releases
    PyType_Modified(type);
#else
    (void)cls;  // the interpreter has done it
#endif
}

}  // namespace

void bind_memory(nb::module_& m) {
    // A board left open at the end of a script is no leak: the system takes the memory back.
    nb::set_leak_warnings(false);

    nb::class_<HostMemory>(m, "HostMemory")
        .def(nb::init<std::uint64_t>(), "size"_a)
        .def(nb::init<int, std::uint64_t, std::uint64_t>(), "descriptor"_a, "offset"_a, "size"_a)
        .def_prop_ro("size", &HostMemory::size)
        .def_prop_ro("resident", &HostMemory::resident)
        .def("view", &view<HostMemory>, "offset"_a, "nbytes"_a, "owner"_a.none())
        .def("discard", &HostMemory::discard, "offset"_a, "nbytes"_a)
        .def("advise_huge", &HostMemory::advise_huge, "offset"_a, "nbytes"_a);

    nb::class_<FreeList>(m, "FreeList")
        .def(nb::init<std::uint64_t, std::uint64_t, std::uint64_t>(), "base"_a, "size"_a, "granularity"_a)
        .def("allocate", &FreeList::allocate, "size"_a, "align"_a, "limit_end"_a = FreeList::kNoLimit)
        .def("allocate_at", &FreeList::allocate_at, "address"_a, "size"_a)
        .def("release", &FreeList::release, "address"_a, "size"_a)
        .def("largest_free", &FreeList::largest_free, "limit_end"_a = FreeList::kNoLimit)
        .def("blocks", &FreeList::blocks)
        .def_prop_ro("total", &FreeList::total)
        .def_prop_ro("free", &FreeList::free)
        .def_prop_ro("block_count", &FreeList::block_count);

    nb::class_<Mapping>(m, "Mapping")
        .def("__init__",
             [](Mapping* self, nb::object array) {
                 const auto bytes = nb::cast<Bytes>(array);
                 new (self) Mapping{std::move(array), bytes.data(), bytes.size()};
             },
             "array"_a)
        .def_prop_ro("pointer", [](const Mapping& self) { return reinterpret_cast<std::uintptr_t>(self.data); })
        .def("extent", &extent, "offset"_a, "nbytes"_a);
    nb::class_<Extent>(m, "Extent", nb::type_slots(extent_slots), nb::is_weak_referenceable());

    // Each side is bytes, as a buffer; the device's is on Device memory, which nothing else here touches.
    m.def("device_write",
          [](nb::handle device, nb::handle from) {
              const View to(device, PyBUF_WRITABLE), source(from, PyBUF_SIMPLE);
              refuse_unequal(to, source);
              const nb::gil_scoped_release release;
              device_write(to.data(), source.data(), to.size());
          },
          "device"_a, "from_"_a);
    m.def("device_read",
          [](nb::handle to, nb::handle device) {
              const View target(to, PyBUF_WRITABLE), source(device, PyBUF_SIMPLE);
              refuse_unequal(source, target);
              const nb::gil_scoped_release release;
              device_read(target.data(), source.data(), target.size());
          },
          "to"_a, "device"_a);
    m.def("device_fill",
          [](nb::handle device, const nb::bytes& pattern) {
              const View to(device, PyBUF_WRITABLE);
              const auto* bytes = static_cast<const std::uint8_t*>(pattern.data());
              const std::size_t length = pattern.size();
              const nb::gil_scoped_release release;
              device_fill(to.data(), to.size(), bytes, length);
          },
          "device"_a, "pattern"_a);

    m.def("data_pointer", &data_pointer, "array"_a);
    m.def("install_buffer_method", &install_buffer_method, "cls"_a);
}

}  // namespace gapless
