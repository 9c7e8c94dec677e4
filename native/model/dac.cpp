#include "model/dac.hpp"

#include <algorithm>
#include <utility>

#include "model/ring_copy.hpp"

namespace gapless {

Dac::Dac(std::uint32_t samples_per_beat, std::uint32_t fifo_bytes)
    : Converter(samples_per_beat, fifo_bytes) {}

void Dac::wire(OnStart on_start, std::function<void(Time)> before_overwrite) {
    on_start_ = std::move(on_start);
    before_overwrite_ = std::move(before_overwrite);
    wired_ = true;
    // What is in the FIFO and not converted yet, twice over, and a burst: enough, because the reader takes
    // what is due before anything is dropped.
    output_.resize(2 * std::size_t{depth_} * beat_bytes() + (1 << 16));
}

void Dac::unwire() {
    wired_ = false;
    on_start_ = nullptr;
    before_overwrite_ = nullptr;
    output_.clear();
    outputs_.clear();
}

void Dac::start(Time time) {
    started_ = true;
    start_ = time;
    grid_ = grid_from(time);
    if (on_start_) on_start_(time);
}

void Dac::on_enable(Time now) {
    if (run_ > 0 && !started_) {  // words wait in the FIFO: conversion starts with them
        start(now);
    }
    if (blocked_ != nullptr) std::exchange(blocked_, nullptr)->wake(now);
}

// What is in the FIFO is still converted; nothing more enters.
void Dac::on_disable(Time) {}

void Dac::on_clear() {
    started_ = primed_ = false;
    next_tick_ = run_ = 0;
    samples_ = 0;
    last_samples_ = 0;
    last_accept_ = 0;
    outputs_.clear();
    stored_ = dropped_ = 0;
}

// Beats in the FIFO at `now`. Those that wait are always the last of an unbroken run: the FIFO is empty
// in a gap.
std::int64_t Dac::waiting(Time now) const {
    if (!started_) return run_;
    return std::clamp<std::int64_t>(next_tick_ - grid_.count(now), 0, std::min<std::int64_t>(run_, depth_));
}

std::uint64_t Dac::samples_at(Time now) const {
    const auto beats = static_cast<std::uint64_t>(
        started_ ? std::clamp<std::int64_t>(next_tick_ - grid_.count(now), 0, run_) : run_);
    if (beats == 0) return samples_;
    return samples_ - (beats - 1) * samples_per_beat_ - last_samples_;
}

// The next beat is converted at `tick`: whatever lies between it and the one before is a gap.
void Dac::place(std::int64_t tick, Cause cause) {
    if (last_samples_ != samples_per_beat_ && last_samples_ != 0) {
        // A partial word inside the stream: its null lanes are converted too.
        const auto index = static_cast<std::uint64_t>(next_tick_ - 1) * samples_per_beat_ + last_samples_;
        gaps_.add(index, samples_per_beat_ - last_samples_, Cause::partial_word);
    }
    if (tick > next_tick_) {
        gaps_.add(static_cast<std::uint64_t>(next_tick_) * samples_per_beat_,
                  static_cast<std::uint64_t>(tick - next_tick_) * samples_per_beat_, cause);
        next_tick_ = tick;
        run_ = 0;
        primed_ = true;
        low_ = 0;
    }
    ++next_tick_;
    ++run_;
    last_samples_ = samples_per_beat_;
}

bool Dac::has_room(std::uint32_t nbytes, Component& producer) {
    // While it is disabled nothing leaves the FIFO.
    if (enabled() || (!started_ && run_ + beats_of(nbytes) <= depth_)) return true;
    blocked_ = &producer;
    return false;
}

std::optional<Time> Dac::push(const Burst& burst, Component& producer) {
    if (!has_room(burst.nbytes, producer)) return std::nullopt;
    const std::int64_t beats = beats_of(burst.nbytes);
    if (!enabled()) {
        last_accept_ = burst.last;
    } else if (!started_) {
        start(burst.first);
    }

    Time accepted = std::max(burst.last, last_accept_);
    if (!enabled()) {
        if (wired_) keep_output(next_tick_, burst.data, burst.nbytes, burst.now);
        for (std::int64_t beat = 0; beat < beats; ++beat) place(next_tick_, burst.late_cause);
    } else {
        // The tick at which a beat is converted is the first free one after the beat has entered; the time at
        // which it can enter, when the FIFO is full, is the tick that converts the beat `depth` before it.
        const Time first = std::max(burst.first, last_accept_);
        const std::int64_t level = waiting(first);
        if (primed_) low_ = std::min(low_, static_cast<std::uint32_t>(level));
        place(level > 0 ? next_tick_ : std::max(next_tick_, grid_.first_at_or_after(first)), burst.late_cause);
        if (burst.last - burst.first <= (beats - 1) * grid_.period_floor() || level >= beats) {
            // No slower than the converter: what follows the first beat is there in time.
            if (wired_) keep_output(next_tick_ - 1, burst.data, burst.nbytes, burst.now);
            if (beats > 1) {
                next_tick_ += beats - 1;
                run_ += beats - 1;
            }
        } else {
            if (wired_) keep_output(next_tick_ - 1, burst.data, std::min(beat_bytes(), burst.nbytes), burst.now);
            for (std::int64_t beat = 1; beat < beats; ++beat) {
                const Time arrival =
                    std::max(last_accept_, burst.first + (burst.last - burst.first) * beat / (beats - 1));
                place(std::max(next_tick_, grid_.first_at_or_after(arrival)), Cause::bandwidth);
                const auto offset = static_cast<std::uint32_t>(beat) * beat_bytes();
                if (wired_)
                    keep_output(next_tick_ - 1, burst.data + offset, std::min(beat_bytes(), burst.nbytes - offset),
                                burst.now);
            }
        }
        if (run_ > depth_) {
            const Time room = grid_.at(next_tick_ - 1 - depth_);
            if (room >= accepted) {
                accepted = room;
                if (!primed_) low_ = depth_;
                primed_ = true;
            }
        }
    }
    last_accept_ = accepted;
    const std::uint32_t partial = burst.nbytes % beat_bytes();
    samples_ += burst.nbytes / 2;
    last_samples_ = partial == 0 ? samples_per_beat_ : partial / 2;
    high_ = std::max(high_, static_cast<std::uint32_t>(std::min<std::int64_t>(waiting(accepted), depth_)));
    if (!primed_) low_ = high_;

    if (tap_) tap_(burst.data, burst.nbytes);
    return accepted;
}

void Dac::keep_output(std::int64_t tick, const std::uint8_t* data, std::uint32_t nbytes, Time now) {
    const std::uint64_t position = static_cast<std::uint64_t>(tick) * beat_bytes();
    if (stored_ + nbytes - dropped_ > output_.size() && before_overwrite_) before_overwrite_(now);
    while (stored_ + nbytes - dropped_ > output_.size()) {  // nobody reads: the oldest goes
        dropped_ = outputs_.front().stored + outputs_.front().nbytes;
        outputs_.pop_front();
    }
    copy_in(output_, stored_, data, nbytes);
    outputs_.push_back({position, stored_, nbytes});
    stored_ += nbytes;
}

void Dac::read_output(std::uint64_t position, std::uint32_t nbytes, std::uint8_t* destination) const {
    auto output = std::upper_bound(outputs_.begin(), outputs_.end(), position,
                                   [](std::uint64_t at, const Output& o) { return at < o.position; });
    const std::uint64_t end = position + nbytes;
    while (position < end) {
        if (output != outputs_.begin()) {
            const Output& held = *std::prev(output);
            const std::uint64_t offset = position - held.position;
            if (offset < held.nbytes) {
                const std::uint64_t take = std::min(end - position, held.nbytes - offset);
                copy_out(output_, held.stored + offset, destination, take);
                destination += take;
                position += take;
                continue;
            }
        }
        // A gap: up to the next word that was there, or to the end of what is asked.
        const std::uint64_t until = output == outputs_.end() ? end : std::min(end, output->position);
        const std::uint8_t* word = nullptr;
        std::vector<std::uint8_t> held_word(beat_bytes());
        if (!zeroes_gaps() && output != outputs_.begin()) {
            const Output& held = *std::prev(output);
            const std::uint64_t tail = std::min<std::uint64_t>(held.nbytes, beat_bytes());
            copy_out(output_, held.stored + held.nbytes - tail, held_word.data(), tail);
            word = held_word.data();
        }
        for (; position < until; ++position) *destination++ = word == nullptr ? 0 : word[position % beat_bytes()];
        if (output != outputs_.end() && position == output->position) ++output;
    }
}

void Dac::forget_output(std::uint64_t position) {
    // The last word stays: a gap repeats it.
    while (outputs_.size() > 1 && outputs_[1].position <= position) {
        dropped_ = outputs_[1].stored;
        outputs_.pop_front();
    }
}

}  // namespace gapless
