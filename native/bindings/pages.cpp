// Memory that the kernel lends piece by piece, in Python: pages of a file, and cache maintenance.
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <system_error>

#include "bindings/bindings.hpp"
#include "memory/cache.hpp"
#include "memory/hugetlbfs.hpp"
#include "memory/pinned_pages.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace gapless {
namespace {

using Bytes = nb::ndarray<nb::numpy, std::uint8_t, nb::ndim<1>, nb::c_contig>;

// A call without the interpreter; what the kernel refuses is an OSError, of the class for its errno.
template <typename Call>
auto system_call(Call call) {
    try {
        const nb::gil_scoped_release release;
        return call();
    } catch (const std::system_error& error) {
        const nb::object reason = nb::make_tuple(error.code().value(), error.what());
        PyErr_SetObject(PyExc_OSError, reason.ptr());
        throw nb::python_error();
    }
}

nb::object view(nb::handle_t<PinnedPages> self, std::uint64_t offset, std::uint64_t nbytes, nb::object owner) {
    std::uint8_t* data = nb::cast<PinnedPages&>(self).at(offset, nbytes);
    const std::size_t shape[1] = {static_cast<std::size_t>(nbytes)};
    return nb::cast(Bytes(data, 1, shape, nb::make_tuple(self, owner)), nb::rv_policy::reference);
}

}  // namespace

void bind_pages(nb::module_& m) {
    nb::class_<PinnedPages>(m, "PinnedPages")
        .def("__init__",
             [](PinnedPages* self, int file, std::uint64_t page, const std::vector<std::uint64_t>& offsets) {
                 system_call([&] { new (self) PinnedPages(file, page, offsets); });
             },
             "file"_a, "page"_a, "offsets"_a)
        .def("pin", [](PinnedPages& self) { system_call([&] { self.pin(); }); })
        .def_prop_ro("pinned", &PinnedPages::pinned)
        .def_prop_ro("size", &PinnedPages::size)
        .def_prop_ro("pointer",
                     [](const PinnedPages& self) { return reinterpret_cast<std::uintptr_t>(self.at(0, 0)); })
        .def("view", &view, "offset"_a, "nbytes"_a, "owner"_a.none())
        .def("sync_to_device",
             [](const PinnedPages& self, std::uint64_t offset, std::uint64_t nbytes) {
                 const std::uint8_t* data = self.at(offset, nbytes);
                 const nb::gil_scoped_release release;
                 cache_clean(data, nbytes);
             },
             "offset"_a, "nbytes"_a)
        .def("sync_from_device",
             [](const PinnedPages& self, std::uint64_t offset, std::uint64_t nbytes) {
                 const std::uint8_t* data = self.at(offset, nbytes);
                 const nb::gil_scoped_release release;
                 cache_clean_invalidate(data, nbytes);
             },
             "offset"_a, "nbytes"_a)
        .def("close", [](PinnedPages& self) { system_call([&] { self.close(); }); });

    m.def("mount_hugetlbfs",
          [](const std::string& directory, std::uint64_t page_size) {
              system_call([&] { mount_hugetlbfs(directory, page_size); });
          },
          "directory"_a, "page_size"_a);
    m.def("allocate_pages",
          [](int file, std::uint64_t offset, std::uint64_t nbytes) {
              system_call([&] { allocate_pages(file, offset, nbytes); });
          },
          "file"_a, "offset"_a, "nbytes"_a);
    m.def("give_back_pages",
          [](int file, std::uint64_t offset, std::uint64_t nbytes) {
              system_call([&] { give_back_pages(file, offset, nbytes); });
          },
          "file"_a, "offset"_a, "nbytes"_a);

    // Each takes the bytes of any contiguous array.
    m.def("cache_clean",
          [](const nb::ndarray<nb::numpy, const std::uint8_t, nb::ndim<1>, nb::c_contig>& bytes) {
              const nb::gil_scoped_release release;
              cache_clean(bytes.data(), bytes.size());
          },
          "bytes_"_a);
    m.def("cache_clean_invalidate",
          [](const nb::ndarray<nb::numpy, const std::uint8_t, nb::ndim<1>, nb::c_contig>& bytes) {
              const nb::gil_scoped_release release;
              cache_clean_invalidate(bytes.data(), bytes.size());
          },
          "bytes_"_a);
    m.def("cache_needs_maintenance", &cache_needs_maintenance);
}

}  // namespace gapless
