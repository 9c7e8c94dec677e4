// The sample kernels in Python. Shapes, overlap and messages are the wrapper's (gapless.samples); what would
// write outside memory is refused here as well.
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "bindings/bindings.hpp"
#include "samples/aligned_copy.hpp"
#include "samples/kernels.hpp"
#include "samples/tones.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using Release = nb::call_guard<nb::gil_scoped_release>;

namespace gapless {
namespace {

template <class T>
using Vector = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

struct PyKernels {
    const Kernels* kernels;
};

void require(bool fits) {
    if (!fits) throw nb::value_error("the arrays do not fit together");
}

// Called without the interpreter: data() and size() do not need it.
template <class T>
std::vector<T*> pointers(const std::vector<Vector<T>>& channels, std::size_t size) {
    const std::size_t count = channels.size();
    require((count == 2 || count == 4 || count == 8) && size % count == 0);
    std::vector<T*> list;
    for (const auto& channel : channels) {
        require(channel.size() == size / count);
        list.push_back(channel.data());
    }
    return list;
}

template <class To, class From>
using Operation = void (*)(To*, const From*, std::size_t);

// A method that turns one array into another of `out_of` samples for every `in_of`.
template <class To, class From>
auto conversion(Operation<To, From> Kernels::*operation, std::size_t out_of, std::size_t in_of, std::size_t samples_of) {
    return [=](const PyKernels& self, const Vector<To>& out, const Vector<const From>& in) {
        require(in.size() % in_of == 0 && out.size() == in.size() / in_of * out_of);
        (self.kernels->*operation)(out.data(), in.data(), in.size() / in_of * samples_of);
    };
}

template <class Float>
auto quantisation(bool (*Kernels::*operation)(std::int16_t*, const Float*, std::size_t)) {
    return [=](const PyKernels& self, const Vector<std::int16_t>& out, const Vector<const Float>& values) {
        require(out.size() == values.size());
        return (self.kernels->*operation)(out.data(), values.data(), values.size());
    };
}

template <class Float>
auto dithering(bool (*Kernels::*operation)(std::int16_t*, const Float*, std::size_t, std::uint64_t, std::uint64_t)) {
    return [=](const PyKernels& self, const Vector<std::int16_t>& out, const Vector<const Float>& values,
               std::uint64_t key, std::uint64_t start) {
        require(out.size() == values.size());
        return (self.kernels->*operation)(out.data(), values.data(), values.size(), key, start);
    };
}

Turns turns(std::uint64_t high, std::uint64_t low) { return static_cast<Turns>(high) << 64 | low; }

template <class T>
void fill(const Tones& self, const PyKernels& kernels, const Vector<T>& out, std::uint64_t start) {
    self.fill(*kernels.kernels, out.data(), start, out.size());
}

}  // namespace

void bind_samples(nb::module_& m) {
    m.def("kernel_names", [] {
        std::vector<std::string> names;
        for (const Kernels* kernels : available_kernels()) names.emplace_back(kernels->name);
        return names;
    });
    nb::class_<PyKernels>(m, "Kernels")
        .def("__init__",
             [](PyKernels* self, const std::string& name) {
                 for (const Kernels* kernels : available_kernels())
                     if (name == kernels->name) {
                         new (self) PyKernels{kernels};
                         return;
                     }
                 throw nb::value_error("no such kernels on this machine");
             },
             "name"_a)
        .def_prop_ro("name", [](const PyKernels& self) { return self.kernels->name; })
        .def("interleave",
             [](const PyKernels& self, const Vector<std::int16_t>& out,
                const std::vector<Vector<const std::int16_t>>& channels) {
                 const auto list = pointers(channels, out.size());
                 self.kernels->interleave(out.data(), list.data(), list.size(), out.size() / list.size());
             },
             "out"_a, "channels"_a, Release())
        .def("deinterleave",
             [](const PyKernels& self, const std::vector<Vector<std::int16_t>>& out,
                const Vector<const std::int16_t>& stream) {
                 const auto list = pointers(out, stream.size());
                 self.kernels->deinterleave(list.data(), stream.data(), list.size(), stream.size() / list.size());
             },
             "out"_a, "stream"_a, Release())
        .def("pack12", conversion(&Kernels::pack12, 3, 4, 4), "out"_a, "samples"_a, Release())
        .def("unpack12", conversion(&Kernels::unpack12, 4, 3, 4), "out"_a, "words"_a, Release())
        .def("align14", conversion(&Kernels::align14, 1, 1, 1), "out"_a, "values"_a, Release())
        .def("unalign14", conversion(&Kernels::unalign14, 1, 1, 1), "out"_a, "samples"_a, Release())
        .def("quantise", quantisation(&Kernels::quantise32), "out"_a, "values"_a, Release())
        .def("quantise", quantisation(&Kernels::quantise64), "out"_a, "values"_a, Release())
        .def("dither", dithering(&Kernels::dither32), "out"_a, "values"_a, "key"_a, "start"_a, Release())
        .def("dither", dithering(&Kernels::dither64), "out"_a, "values"_a, "key"_a, "start"_a, Release())
        .def("counter",
             [](const PyKernels& self, const Vector<std::int16_t>& out, std::int16_t first) {
                 self.kernels->counter(out.data(), out.size(), first);
             },
             "out"_a.noconvert(), "first"_a, Release())
        .def("step_break",
             [](const PyKernels& self, const Vector<const std::int16_t>& samples, std::size_t start, std::int16_t step) {
                 require(start < samples.size());
                 return start + self.kernels->step_break(samples.data() + start, samples.size() - start, step);
             },
             "samples"_a, "start"_a, "step"_a, Release());

    // (step high, step low, phase high, phase low, scale)
    using Row = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, double>;
    nb::class_<Tones>(m, "Tones")
        .def("__init__",
             [](Tones* self, const std::vector<Row>& rows) {
                 require(!rows.empty());
                 std::vector<Tone> tones;
                 for (const auto& [step, step_low, phase, phase_low, scale] : rows)
                     tones.push_back({turns(step, step_low), turns(phase, phase_low), scale});
                 new (self) Tones(tones);
             },
             "tones"_a)
        .def("fill", fill<std::int16_t>, "kernels"_a, "out"_a, "start"_a, Release())
        .def("fill", fill<float>, "kernels"_a, "out"_a, "start"_a, Release())
        .def("fill", fill<double>, "kernels"_a, "out"_a, "start"_a, Release());

    using Bytes = Vector<std::uint8_t>;
    using ConstBytes = Vector<const std::uint8_t>;
    m.def("copy_to_aligned",
          [](const Bytes& device, const ConstBytes& data) {
              require(device.size() == data.size());
              copy_to_aligned(device.data(), data.data(), data.size());
          },
          "device"_a, "data"_a, Release());
    m.def("copy_from_aligned",
          [](const Bytes& out, const ConstBytes& device) {
              require(device.size() == out.size());
              copy_from_aligned(out.data(), device.data(), out.size());
          },
          "out"_a, "device"_a, Release());
}

}  // namespace gapless
