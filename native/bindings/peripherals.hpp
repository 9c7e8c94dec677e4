// A peripheral as Python holds it, on a test bench or on a board.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <mutex>
#include <utility>

#include "model/peripheral.hpp"

namespace gapless {

// What a peripheral is part of.
class PeripheralHost {
public:
    virtual ~PeripheralHost() = default;
    virtual std::unique_lock<std::mutex> lock() = 0;
    // With the lock held:
    virtual Time now() const = 0;
    virtual void changed(Peripheral& /*peripheral*/) {}  // something outside of it did something to it
};

// Letting go of a host may take its lock, so the interpreter is released first, as for PyBus.
class PeripheralHandle {
public:
    PeripheralHandle(std::shared_ptr<PeripheralHost> host, std::shared_ptr<Peripheral> peripheral)
        : host_(std::move(host)), peripheral_(std::move(peripheral)) {}
    PeripheralHandle(PeripheralHandle&&) = default;
    PeripheralHandle& operator=(PeripheralHandle&&) = default;
    virtual ~PeripheralHandle() {
        nanobind::gil_scoped_release release;
        peripheral_.reset();
        host_.reset();
    }

    Peripheral& peripheral() const { return *peripheral_; }

    // Calls with the lock held, and the time. Whoever holds the interpreter never waits for that lock.
    template <typename Call>
    auto look(Call call) const {
        nanobind::gil_scoped_release release;
        const auto lock = host_->lock();
        return call(*peripheral_, host_->now());
    }
    template <typename Call>
    void change(Call call) const {
        look([&](Peripheral& peripheral, Time now) {
            call(peripheral, now);
            host_->changed(peripheral);
            return 0;
        });
    }

private:
    std::shared_ptr<PeripheralHost> host_;
    std::shared_ptr<Peripheral> peripheral_;
};

// The handle of its kind: a Gpio, a Timer ...
nanobind::object peripheral_handle(std::shared_ptr<PeripheralHost> host, std::shared_ptr<Peripheral> peripheral);

}  // namespace gapless
