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
    explicit Port(double bandwidth) : bandwidth_(bandwidth) {}

    // Serve a burst requested at `time`: bursts take the port one after the other, so engines that share
    // it get what is left. Calls come in the order of time.
    Slot serve(Time time, std::uint32_t nbytes) {
        const Time begin = std::max(time, free_at_);
        const double exact = static_cast<double>(nbytes) / (bandwidth_ * speed_) * 1e12 + remainder_;
        const Time whole = static_cast<Time>(exact);
        // The fraction of a picosecond is carried over, or a long transfer would drift.
        remainder_ = exact - static_cast<double>(whole);
        free_at_ = begin + whole;
        return {begin, free_at_};
    }

    // A fault: memory that gives only this fraction of its bandwidth.
    void set_speed(double fraction) { speed_ = fraction; }
    double bandwidth() const { return bandwidth_; }

private:
    double bandwidth_;
    double speed_ = 1.0;
    double remainder_ = 0.0;
    Time free_at_ = 0;
};

}  // namespace gapless
