// A peripheral with registers, on the host's bus or on that of a soft processor.
#pragma once

#include <functional>
#include <utility>

#include "model/component.hpp"

namespace gapless {

// A wire with one driver: tells its listener when its level changes.
class Wire {
public:
    using Listener = std::function<void(bool level, Time now)>;

    void connect(Listener listener) { listener_ = std::move(listener); }
    bool level() const { return level_; }
    void drive(bool level, Time now) {
        if (level == level_) return;
        level_ = level;
        if (listener_) listener_(level, now);
    }

private:
    bool level_ = false;
    Listener listener_;
};

// As a component it acts at times of its own (a timer's end, a byte that was sent); many never do.
class Peripheral : public Device, public Component {
public:
    // Whether reading this register again, with no write and no step() between, gives the same and does nothing:
    // then a program that polls it needs not be executed meanwhile.
    virtual bool steady(std::uint32_t offset) const = 0;
    // The reset line of the subsystem that it is in: what that reaches is as it was built. What is outside stays:
    // devices, levels at its inputs, what it has already sent.
    virtual void reset(Time now) = 0;
    bool stirs() const override { return true; }  // an output may be a reset line
    void step(Time /*now*/) override {}
    void wake(Time /*now*/) override {}

    Wire interrupt;  // its interrupt output
};

}  // namespace gapless
