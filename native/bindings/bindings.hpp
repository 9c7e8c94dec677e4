#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "register_bus.hpp"

namespace gapless {

// A bus as Python holds it. Letting go of it takes locks that a thread which waits for the interpreter may
// hold, so the interpreter is released first.
struct PyBus {
    explicit PyBus(std::shared_ptr<RegisterBus> inner) : bus(std::move(inner)) {}
    PyBus(PyBus&&) = default;
    PyBus& operator=(PyBus&&) = default;
    ~PyBus() {
        nanobind::gil_scoped_release release;
        bus.reset();
    }
    std::shared_ptr<RegisterBus> bus;
};

void bind_memory(nanobind::module_& m);
void bind_linux_memory(nanobind::module_& m);
void bind_pages(nanobind::module_& m);
void bind_bus(nanobind::module_& m);
void bind_linux(nanobind::module_& m);
void bind_python_bus(nanobind::module_& m);
void bind_microblaze(nanobind::module_& m);
void bind_model(nanobind::module_& m);
void bind_targets(nanobind::module_& m);
void bind_peripherals(nanobind::module_& m);
void bind_peripheral_bench(nanobind::module_& m);
void bind_execution_log(nanobind::module_& m);
void bind_stream(nanobind::module_& m);
void bind_samples(nanobind::module_& m);

inline Time to_time(double seconds) {
    // Far longer than anything waits for, and far from the end of a Time.
    constexpr double longest = 1e6;
    if (!(seconds > 0)) return 0;
    return static_cast<Time>((seconds < longest ? seconds : longest) * 1e12);
}
inline double to_seconds(Time time) { return static_cast<double>(time) * 1e-12; }

}  // namespace gapless
