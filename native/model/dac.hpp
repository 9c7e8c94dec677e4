// A DAC behind its stream FIFO. It converts on every tick of its clock, with or without data.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "model/converter.hpp"

namespace gapless {

class Dac final : public Converter, public StreamSink {
public:
    using Tap = std::function<void(const std::uint8_t* data, std::size_t nbytes)>;
    using OnStart = std::function<void(Time start)>;

    Dac(std::uint32_t samples_per_beat, std::uint32_t fifo_bytes);

    std::optional<Time> push(const Burst& burst, Component& producer) override;
    // Whether push() would take that many bytes; if not, `producer` is woken when it would.
    bool has_room(std::uint32_t nbytes, Component& producer);
    // Whether anybody looks at the data of a burst.
    bool watched() const { return tap_ != nullptr || wired_; }

    // `tap` sees every sample converted, in order, without what a gap is filled with.
    void set_tap(Tap tap) { tap_ = std::move(tap); }
    // Keep what leaves the converter, for the ADC that is wired to it. `on_start` tells when sample 0 is
    // converted; `before_overwrite` asks to take what is due before older output is dropped.
    void wire(OnStart on_start, std::function<void(Time)> before_overwrite);
    void unwire();

    bool running() const { return started_ && enabled(); }
    Time start_time() const { return start_; }
    // Copy bytes [position, position + nbytes) of the output's time line; gaps are filled as configured.
    void read_output(std::uint64_t position, std::uint32_t nbytes, std::uint8_t* destination) const;
    // The time line up to `position` is not needed any more.
    void forget_output(std::uint64_t position);
    std::int64_t ticks_at(Time now) const { return started_ ? grid_.count(now) : 0; }

protected:
    void on_enable(Time now) override;
    void on_disable(Time now) override;
    void on_clear() override;
    void settle(Time) override {}
    std::uint64_t samples_at(Time now) const override;
    std::uint32_t level_beats(Time now) const override { return static_cast<std::uint32_t>(waiting(now)); }
    bool has_started() const override { return started_; }

private:
    struct Output {
        std::uint64_t position;  // on the time line, in bytes
        std::uint64_t stored;    // running position in output_
        std::uint64_t nbytes;
    };
    void start(Time time);
    std::int64_t waiting(Time now) const;
    std::int64_t beats_of(std::uint32_t nbytes) const { return (nbytes + beat_bytes() - 1) / beat_bytes(); }
    void place(std::int64_t tick, Cause cause);
    void keep_output(std::int64_t tick, const std::uint8_t* data, std::uint32_t nbytes, Time now);

    TickGrid grid_;
    Time start_ = 0;
    bool started_ = false;
    bool primed_ = false;          // the FIFO has been full once
    std::int64_t next_tick_ = 0;   // the tick that converts the next beat, if it is there in time
    std::int64_t run_ = 0;         // beats since the last gap
    std::uint64_t samples_ = 0;    // in beats that entered the FIFO
    std::uint32_t last_samples_ = 0;  // of the last beat: fewer than samples_per_beat_ when partial
    Time last_accept_ = 0;
    Component* blocked_ = nullptr;

    Tap tap_;
    OnStart on_start_;
    std::function<void(Time)> before_overwrite_;
    bool wired_ = false;
    std::vector<std::uint8_t> output_;  // ring
    std::uint64_t stored_ = 0, dropped_ = 0;
    std::deque<Output> outputs_;
};

}  // namespace gapless
