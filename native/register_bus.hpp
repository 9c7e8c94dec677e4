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

class RegisterBus {
public:
    virtual ~RegisterBus() = default;

    virtual std::uint32_t read32(std::uint64_t address) = 0;
    virtual void write32(std::uint64_t address, std::uint32_t value) = 0;
    // False when `timeout` passed and the line was not asserted.
    virtual bool wait_interrupt(unsigned line, Time timeout) = 0;
    virtual Time now() = 0;
    virtual void sleep_until(Time time) = 0;

    // A bus for another thread of control that starts at this one's time.
    virtual std::shared_ptr<RegisterBus> fork(const std::string& name) = 0;
    // While parked, a thread of control holds nobody back (it waits for something off the bus). Counts: where
    // host threads share a bus it holds the others back again when each has resumed, at `time` or later. An
    // access in between takes its turn as always.
    virtual void park() = 0;
    virtual void resume(Time time) = 0;
    // Makes the current and every later call of this bus throw Cancelled. Any thread may call it.
    virtual void cancel() = 0;
};

}  // namespace gapless
