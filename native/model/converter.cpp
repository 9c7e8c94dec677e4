#include "model/converter.hpp"

namespace gapless {

// A 64-bit counter is two registers: reading the lower one keeps the upper one for the next read.
std::uint32_t Converter::read_wide(std::uint32_t offset, std::uint32_t base, std::uint64_t value) {
    if (offset != base) return latch_;
    latch_ = static_cast<std::uint32_t>(value >> 32);
    return static_cast<std::uint32_t>(value);
}

std::uint32_t Converter::read(std::uint32_t offset, Time now) {
    settle(now);
    const std::vector<Gap>& log = gaps_.log();
    const Gap chosen = gap_select_ < log.size() ? log[gap_select_] : Gap{0, 0, Cause::none};
    switch (offset) {
        case control: return control_;
        case status:
            return (has_started() ? started : 0u) | (level_beats(now) == 0 ? empty : 0u) | (is_done() ? done : 0u);
        case rate: case rate + 4: return read_wide(offset, rate, rate_);
        case samples: case samples + 4: return read_wide(offset, samples, samples_at(now));
        case missing: case missing + 4: return read_wide(offset, missing, gaps_.missing());
        case gap_count: return static_cast<std::uint32_t>(gaps_.count());
        case gap_select: return gap_select_;
        case gap_index: case gap_index + 4: return read_wide(offset, gap_index, chosen.index);
        case gap_length: case gap_length + 4: return read_wide(offset, gap_length, chosen.length);
        case gap_cause: return static_cast<std::uint32_t>(chosen.cause);
        case gap_logged: return static_cast<std::uint32_t>(log.size());
        case fifo_level: return level_beats(now) * beat_bytes();
        case fifo_low: return low_ * beat_bytes();
        case fifo_high: return high_ * beat_bytes();
        case fifo_depth: return depth_ * beat_bytes();
        case capture: case capture + 4: return read_wide(offset, capture, capture_);
        case packet: case packet + 4: return read_wide(offset, packet, packet_);
        case ident: return identity;
        default: return 0;
    }
}

void Converter::write(std::uint32_t offset, std::uint32_t value, Time now) {
    settle(now);
    switch (offset) {
        case control: {
            const bool was_enabled = enabled();
            control_ = value & (enable | zero_in_gap);
            if ((value & clear) != 0) {
                gaps_ = GapLog{};
                low_ = high_ = 0;
                on_clear();
            }
            if (enabled() && (!was_enabled || (value & clear) != 0)) on_enable(now);
            if (!enabled() && was_enabled) on_disable(now);
            break;
        }
        case rate: case rate + 4: set_half(rate_, offset != rate, value); break;
        case gap_select: gap_select_ = value; break;
        case capture: case capture + 4: set_half(capture_, offset != capture, value); break;
        case packet: case packet + 4: set_half(packet_, offset != packet, value); break;
        default: break;
    }
}

}  // namespace gapless
