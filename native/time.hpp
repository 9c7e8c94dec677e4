// Time in the native core: integer picoseconds, so that the same run gives the same report twice.
#pragma once

#include <cstdint>

namespace gapless {

using Time = std::int64_t;  // picoseconds

inline constexpr Time never = INT64_MAX;
inline constexpr Time picoseconds_per_second = 1'000'000'000'000;

// The ticks of a converter's stream clock: tick n is at start + ceil(n * samples_per_tick / rate).
// The period is kept as a fraction: most rates have no period in whole picoseconds, and a rounded
// one would be off by many samples after a second.
class TickGrid {
public:
    TickGrid() = default;
    // rate in thousandths of a sample per second
    TickGrid(Time start, std::uint64_t samples_per_tick, std::uint64_t rate_millihertz)
        : start_(start),
          numerator_(static_cast<__int128>(samples_per_tick) * picoseconds_per_second * 1000),
          denominator_(rate_millihertz) {}

    Time at(std::int64_t tick) const {
        return start_ + static_cast<Time>((tick * numerator_ + denominator_ - 1) / denominator_);
    }
    // How many ticks happen at or before `time`.
    std::int64_t count(Time time) const {
        if (time < start_) return 0;
        return static_cast<std::int64_t>(static_cast<__int128>(time - start_) * denominator_ / numerator_) + 1;
    }
    std::int64_t first_at_or_after(Time time) const { return count(time - 1); }
    // A lower bound of the distance between two ticks.
    Time period_floor() const { return static_cast<Time>(numerator_ / denominator_); }

private:
    Time start_ = 0;
    __int128 numerator_ = 1;
    __int128 denominator_ = 1;
};

}  // namespace gapless
