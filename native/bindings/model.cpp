// A virtual board's machine: its clock, bus and memory, and what is on the bus.
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "bindings/bindings.hpp"
#include "bindings/machine.hpp"
#include "memory/host_memory.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using Release = nb::call_guard<nb::gil_scoped_release>;

namespace gapless {
namespace {

std::vector<std::tuple<double, std::string, std::string, std::uint64_t>> findings(PyMachine& self) {
    const auto lock = self.machine->lock_also_in_callback();
    std::vector<std::tuple<double, std::string, std::string, std::uint64_t>> list;
    for (const Finding& finding : self.machine->findings().list())
        list.emplace_back(to_seconds(finding.time), finding.kind, finding.text, finding.address);
    return list;
}

void load(PyMachine& self, PyParts& parts) {
    if (std::exchange(parts.loaded, true)) throw nb::value_error("these parts were on a bus before");
    std::shared_ptr<Parts> left;  // let go of without the lock: a tap of it may wait for the interpreter
    const auto lock = self.machine->lock();
    left = self.machine->load(parts.parts);
}

}  // namespace

void bind_model(nb::module_& m) {
    nb::class_<PyParts> parts(m, "Parts");
    bind_parts(parts);
    bind_iops(parts);
    bind_ip_models(m, parts);
    nb::class_<PyMachine, PyParts>(m, "Machine")  // one board's models
        .def(nb::init<double, double, double>(), "read_cost"_a, "write_cost"_a, "slowdown"_a = 0.0)
        .def("add_port",
             [](PyMachine& self, double bandwidth) {
                 const auto lock = self.machine->lock();
                 return self.machine->add_port(bandwidth);
             },
             "bandwidth"_a, Release())
        .def("add_memory",
             [](PyMachine& self, std::uint64_t base, std::uint64_t size, std::shared_ptr<HostMemory> memory,
                std::uint64_t offset, int kind, bool guarded) {
                 self.machine->memory().add_memory(memory_at(base, size, std::move(memory), offset, kind, guarded));
             },
             "base"_a, "size"_a, "memory"_a, "offset"_a, "kind"_a, "guarded"_a)
        .def("make_parts", [](PyMachine& self) { return PyParts(self.machine, self.machine->make_parts()); })
        .def("load", &load, "parts"_a, Release())
        .def("bus", [](PyMachine& self) { return PyBus(self.machine->bus()); }, Release())
        .def("allocated",
             [](PyMachine& self, std::uint64_t base, std::uint64_t nbytes) {
                 const auto lock = self.machine->lock_also_in_callback();
                 self.machine->memory().allocated(base, nbytes);
             },
             "address"_a, "nbytes"_a, Release())
        .def("released",
             [](PyMachine& self, std::uint64_t base, std::uint64_t nbytes) {
                 const auto lock = self.machine->lock_also_in_callback();
                 self.machine->released(base, nbytes);
             },
             "address"_a, "nbytes"_a, Release())
        .def("findings", &findings, Release())
        .def("add_slave_error",
             [](PyMachine& self, std::uint64_t base, std::uint64_t size) {
                 const auto lock = self.machine->lock();
                 self.machine->memory().add_slave_error(base, size);
             },
             "address"_a, "nbytes"_a, Release())
        .def("clear_slave_errors",
             [](PyMachine& self) {
                 const auto lock = self.machine->lock();
                 self.machine->memory().clear_slave_errors();
             },
             Release())
        .def("set_port_speed",
             [](PyMachine& self, std::size_t port, double fraction) {
                 if (!(fraction > 0) || fraction > 1) throw nb::value_error("a port's speed is above 0 and at most 1");
                 const auto lock = self.machine->lock();
                 self.machine->port(port).set_speed(fraction);
             },
             "port"_a, "fraction"_a, Release())
        .def("follow_wall_clock", [](PyMachine& self) { self.machine->follow_wall_clock(); }, Release())
        .def("stop_wall_clock", [](PyMachine& self) { self.machine->stop_wall_clock(); }, Release());
}

}  // namespace gapless
