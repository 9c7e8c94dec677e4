// A path to memory with a bandwidth, shared by the engines that use it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "time.hpp"

namespace gapless {

class Port {
public:
    struct Slot {
        Time begin, end;
    };

    // bandwidth in bytes per second
    explicit Port(double bandwidth) : bandwidth_(bandwidth), effective_(std::llround(bandwidth)) {}

    // Serve a burst requested at `time`: bursts take the port one after the other, so engines that share
    // it get what is left. Calls come in the order of time.
    Slot serve(Time time, std::uint32_t nbytes) {
        const Time begin = std::max(time, free_at_);
        // In integers, so that every machine gets the same; what is left of a picosecond is carried over,
        // or a long transfer would drift.
        const __int128 work = static_cast<__int128>(nbytes) * picoseconds_per_second + remainder_;
        free_at_ = begin + static_cast<Time>(work / effective_);
        remainder_ = static_cast<std::int64_t>(work % effective_);
        return {begin, free_at_};
    }

    // A fault: memory that gives only this fraction of its bandwidth.
    void set_speed(double fraction) {
        effective_ = std::max<std::int64_t>(1, std::llround(bandwidth_ * fraction));
        remainder_ = 0;
    }

private:
    double bandwidth_;
    std::int64_t effective_;  // bytes per second
    std::int64_t remainder_ = 0;
    Time free_at_ = 0;
};

}  // namespace gapless
