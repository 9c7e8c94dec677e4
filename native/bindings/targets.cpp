// What can be attached to an IIC or SPI master.
#include <nanobind/ndarray.h>
#include <nanobind/stl/shared_ptr.h>

#include <vector>

#include "bindings/array_of.hpp"
#include "bindings/bindings.hpp"
#include "bindings/python_targets.hpp"
#include "model/peripherals/adt7420.hpp"
#include "model/peripherals/ssd1306.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace gapless {
namespace {

nb::object pixels(const Ssd1306& self) {
    const Ssd1306::Pixels seen = self.pixels();
    return array_of(std::vector<std::uint8_t>(seen.begin(), seen.end()), {Ssd1306::rows, Ssd1306::columns});
}

}  // namespace

void bind_targets(nb::module_& m) {
    nb::class_<IicTarget>(m, "IicTarget");
    nb::class_<SpiTarget>(m, "SpiTarget");
    nb::class_<PythonIicTarget, IicTarget>(m, "PythonIicTarget").def(nb::init<nb::object>(), "target"_a);
    nb::class_<PythonSpiTarget, SpiTarget>(m, "PythonSpiTarget").def(nb::init<nb::object>(), "target"_a);
    nb::class_<Adt7420, IicTarget>(m, "Adt7420")
        .def(nb::init<>())
        .def_prop_rw("temperature", &Adt7420::temperature, &Adt7420::set_temperature);
    nb::class_<Ssd1306, SpiTarget>(m, "Ssd1306")
        .def(nb::init<>())
        .def_prop_rw("data", &Ssd1306::data, &Ssd1306::set_data)
        .def("pixels", &pixels);
}

}  // namespace gapless
