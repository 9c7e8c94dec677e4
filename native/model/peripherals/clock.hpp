// The clock of a peripheral: cycle n is at ceil(n / frequency).
#pragma once

#include "time.hpp"

namespace gapless {

class Clock {
public:
    explicit Clock(std::int64_t hertz) : hertz_(hertz) {}

    std::int64_t hertz() const { return hertz_; }
    // The cycle that `time` is in.
    std::int64_t cycle(Time time) const {
        return static_cast<std::int64_t>(static_cast<__int128>(time) * hertz_ / picoseconds_per_second);
    }
    Time at(std::int64_t cycle) const {
        const __int128 picoseconds = static_cast<__int128>(cycle) * picoseconds_per_second;
        return static_cast<Time>((picoseconds + hertz_ - 1) / hertz_);
    }
    // `cycles` after the one that `now` is in.
    Time after(Time now, std::int64_t cycles) const { return at(cycle(now) + cycles); }

private:
    std::int64_t hertz_;
};

}  // namespace gapless
