// IIC and SPI targets written in Python.
#pragma once

#include <nanobind/nanobind.h>

#include <utility>

#include "model/callout.hpp"
#include "model/peripherals/iic_target.hpp"
#include "model/peripherals/spi_target.hpp"

namespace gapless {

// Calls the methods of an object with the lock of the board held and the interpreter released; whoever holds the
// interpreter never waits for that lock, so it can be taken here. What a method raises is reported, not passed on.
class PythonObject {
public:
    explicit PythonObject(nanobind::object object) : object_(std::move(object)) {}
    PythonObject(const PythonObject&) = delete;
    PythonObject& operator=(const PythonObject&) = delete;
    ~PythonObject() {
        const nanobind::gil_scoped_acquire acquire;
        object_.reset();
    }

    template <typename Result, typename... Arguments>
    Result call(const char* method, Result otherwise, Arguments... arguments) {
        Result result = otherwise;
        guard(method, [&] { result = nanobind::cast<Result>(object_.attr(method)(arguments...)); });
        return result;
    }
    void tell(const char* method) {
        guard(method, [&] { object_.attr(method)(); });
    }

private:
    template <typename Body>
    void guard(const char* method, Body body) {
        const nanobind::gil_scoped_acquire acquire;
        const Callout callout;
        // A collection in here could let go of a bus, which takes the lock that is held.
        const bool collecting = PyGC_Disable() != 0;
        try {
            body();
        } catch (nanobind::python_error& error) {
            if (error.matches(PyExc_KeyboardInterrupt))
                PyErr_SetInterrupt();
            else
                error.discard_as_unraisable(method);
        } catch (const nanobind::cast_error&) {
            PyErr_SetString(PyExc_TypeError, "a target's start() and write() give a bool, read() and exchange() a byte");
            PyErr_WriteUnraisable(object_.ptr());
        }
        if (collecting) PyGC_Enable();
    }

    nanobind::object object_;
};

class PythonIicTarget final : public IicTarget {
public:
    explicit PythonIicTarget(nanobind::object object) : object_(std::move(object)) {}
    bool start(bool reading) override { return object_.call("start", false, reading); }
    bool write(std::uint8_t byte) override { return object_.call("write", false, byte); }
    std::uint8_t read() override { return object_.call("read", std::uint8_t{0xFF}); }
    void stop() override { object_.tell("stop"); }

private:
    PythonObject object_;
};

class PythonSpiTarget final : public SpiTarget {
public:
    explicit PythonSpiTarget(nanobind::object object) : object_(std::move(object)) {}
    std::uint8_t exchange(std::uint8_t byte) override { return object_.call("exchange", std::uint8_t{0}, byte); }

private:
    PythonObject object_;
};

}  // namespace gapless
