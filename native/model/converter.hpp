// What a DAC and an ADC have in common: the registers of the stream monitor, and the gap log.
//
// The stream monitor is gapless's own small peripheral beside each converter: it counts the samples
// that pass and logs every gap. docs/stream-monitor.md has its register map; a design on a real board
// can carry the same peripheral, and the same driver reads it.
#pragma once

#include <cstdint>
#include <vector>

#include "model/component.hpp"
#include "model/stream.hpp"

namespace gapless {

struct Gap {
    std::uint64_t index, length;
    Cause cause;
};

class GapLog {
public:
    void add(std::uint64_t index, std::uint64_t length, Cause cause) {
        if (!log_.empty() && log_.back().index + log_.back().length == index && log_.back().cause == cause &&
            log_.size() == count_) {
            log_.back().length += length;  // it goes on
        } else {
            ++count_;
            if (log_.size() < limit) log_.push_back({index, length, cause});
        }
        missing_ += length;
    }
    // A gap that still goes on at `end` turns out to have had this cause.
    void attribute(std::uint64_t end, Cause cause) {
        if (!log_.empty() && log_.size() == count_ && log_.back().index + log_.back().length == end)
            log_.back().cause = cause;
    }
    const std::vector<Gap>& log() const { return log_; }
    std::uint64_t count() const { return count_; }
    std::uint64_t missing() const { return missing_; }

private:
    static constexpr std::size_t limit = 1 << 16;
    std::vector<Gap> log_;
    std::uint64_t count_ = 0, missing_ = 0;
};

class Converter : public Device {
public:
    Converter(std::uint32_t samples_per_beat, std::uint32_t fifo_bytes)
        : samples_per_beat_(samples_per_beat), depth_(fifo_bytes / (2 * samples_per_beat)) {}

    std::uint32_t read(std::uint32_t offset, Time now) final;
    void write(std::uint32_t offset, std::uint32_t value, Time now) final;

    std::uint32_t beat_bytes() const { return 2 * samples_per_beat_; }

    static constexpr std::uint32_t identity = 0x47504C31;  // "GPL1"
    enum Offset : std::uint32_t {
        control = 0x00, status = 0x04, rate = 0x08, samples = 0x10, missing = 0x18, gap_count = 0x20,
        gap_select = 0x24, gap_index = 0x28, gap_length = 0x30, gap_cause = 0x38, gap_logged = 0x3C,
        fifo_level = 0x40, fifo_low = 0x44, fifo_high = 0x48, fifo_depth = 0x4C, capture = 0x50,
        packet = 0x58, ident = 0x60,
    };
    enum Control : std::uint32_t { enable = 1, clear = 2, zero_in_gap = 4 };
    enum Status : std::uint32_t { started = 1, empty = 2, done = 4 };

protected:
    virtual void on_enable(Time now) = 0;
    virtual void on_disable(Time now) = 0;
    virtual void on_clear() = 0;
    virtual void settle(Time now) = 0;  // bring the counters to `now`
    virtual std::uint64_t samples_at(Time now) const = 0;
    virtual std::uint32_t level_beats(Time now) const = 0;
    virtual bool has_started() const = 0;
    virtual bool is_done() const { return false; }

    bool enabled() const { return (control_ & enable) != 0; }
    bool zeroes_gaps() const { return (control_ & zero_in_gap) != 0; }
    TickGrid grid_from(Time start) const { return {start, samples_per_beat_, rate_ == 0 ? 1 : rate_}; }

    const std::uint32_t samples_per_beat_;
    const std::uint32_t depth_;  // of the FIFO, in beats
    GapLog gaps_;
    std::uint32_t low_ = 0, high_ = 0;  // of the FIFO, in beats
    std::uint64_t capture_ = 0, packet_ = 0;

private:
    std::uint32_t read_wide(std::uint32_t offset, std::uint32_t base, std::uint64_t value);

    std::uint32_t control_ = 0, gap_select_ = 0, latch_ = 0;
    std::uint64_t rate_ = 0;
};

}  // namespace gapless
