// The register seam on the native side: streaming loops are written once, against this.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "time.hpp"

namespace gapless {

// A register access that no device answers.
struct BusFault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Thrown out of a bus call when the job that made it has been cancelled.
struct Cancelled : std::runtime_error {
    Cancelled() : std::runtime_error("cancelled") {}
};

// An interrupt line and a signal to wait for; -1: none.
struct Awaited {
    int interrupt = -1;
    int signal = -1;
};

class RegisterBus {
public:
    virtual ~RegisterBus() = default;

    virtual std::uint32_t read32(std::uint64_t address) = 0;
    virtual void write32(std::uint64_t address, std::uint32_t value) = 0;
    // The same, if it can be done without waiting for anything; false when not.
    virtual bool try_read32(std::uint64_t /*address*/, std::uint32_t& /*value*/) { return false; }
    virtual bool try_write32(std::uint64_t /*address*/, std::uint32_t /*value*/) { return false; }
    // Until one of them is up; false when `timeout` passed first. `never`: for as long as it takes.
    virtual bool wait(Awaited awaited, Time timeout) = 0;
    bool wait_interrupt(unsigned line, Time timeout) { return wait({static_cast<int>(line), -1}, timeout); }
    virtual Time now() = 0;
    virtual void sleep_until(Time time) = 0;
    // Be busy for so long with something off the bus: what others do meanwhile does not wait for it.
    virtual void spend(Time time) = 0;

    // Signals are what interrupt lines are, but from one thread of control to another.
    virtual unsigned add_signal() = 0;
    virtual void remove_signal(unsigned signal) = 0;
    virtual void set_signal(unsigned signal, bool level) = 0;
    // What threads of control share may be looked at and changed right after this, or after any access: what the
    // others did before this moment of bus time is done, and they have to wait with what they do later. False
    // when this bus was cancelled.
    virtual bool take_turn() = 0;

    // A bus for another thread of control that starts at this one's time.
    virtual std::shared_ptr<RegisterBus> fork(const std::string& name) = 0;
    // While parked, a thread of control holds nobody back (it waits for something off the bus). Counts: where
    // host threads share a bus it holds the others back again when each has resumed, at `time` or later. An
    // access in between takes its turn as always.
    virtual void park() = 0;
    virtual void resume(Time time) = 0;
    // The same without having been parked: nobody gets ahead of it meanwhile.
    virtual void catch_up(Time time) = 0;
    // Makes the current and every later call of this bus throw Cancelled. Any thread may call it.
    virtual void cancel() = 0;
};

}  // namespace gapless
