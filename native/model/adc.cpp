#include "model/adc.hpp"

#include <algorithm>
#include <utility>

#include "model/dac.hpp"

namespace gapless {

namespace {

class DacOutput final : public AnalogSource {
public:
    explicit DacOutput(Dac& dac) : dac_(dac) {}
    // A DAC keeps what it converted until it is read.
    bool lasts() const override { return false; }
    void read(std::uint64_t position, std::uint32_t nbytes, std::uint8_t* destination) override {
        dac_.read_output(position, nbytes, destination);
        dac_.forget_output(position + nbytes);
    }

private:
    Dac& dac_;
};

}  // namespace

Adc::Adc(std::uint32_t samples_per_beat, std::uint32_t fifo_bytes)
    : Converter(samples_per_beat, fifo_bytes), source_(std::make_unique<CounterSource>()) {
    fifo_.reset(depth_ * beat_bytes());
}

Adc::~Adc() = default;

void Adc::set_source(std::unique_ptr<AnalogSource> source) {
    if (dac_ != nullptr) std::exchange(dac_, nullptr)->unwire();
    fifo_.keep(*source_);
    source_ = std::move(source);
}

void Adc::set_loopback(Dac& dac) {
    set_source(std::make_unique<DacOutput>(dac));
    dac_ = &dac;
    dac.wire(
        [this](Time start_time) {
            if (enabled() && !started_) start(start_time, 0);
        },
        [this](Time now) { settle(now); });
}

void Adc::start(Time now, std::uint64_t position) {
    started_ = true;
    grid_ = grid_from(now);
    origin_ = position;
    if (waiting_ != nullptr) std::exchange(waiting_, nullptr)->wake(now);
}

void Adc::on_enable(Time now) {
    if (started_) return;
    if (dac_ == nullptr)
        start(now, 0);
    else if (dac_->running())
        start(now, static_cast<std::uint64_t>(dac_->ticks_at(now)) * dac_->beat_bytes());
}

void Adc::on_disable(Time) { started_ = false; }

void Adc::on_clear() {
    started_ = false;
    ticks_ = 0;
    accepted_ = delivered_ = 0;
    fifo_.reset(depth_ * beat_bytes());
}

void Adc::settle(Time now) {
    if (!started_) return;
    // A beat is complete one period after its first sample.
    const std::int64_t due = grid_.count(now) - 1 - ticks_;
    if (due <= 0) return;
    const std::uint64_t wanted =
        capture_ == 0 ? UINT64_MAX : (capture_ - accepted_ + samples_per_beat_ - 1) / samples_per_beat_;
    const auto room = static_cast<std::int64_t>(depth_ - level_beats(now));
    const auto take = std::min({due, room, static_cast<std::int64_t>(std::min<std::uint64_t>(wanted, INT64_MAX))});
    if (take > 0) accept(take);
    if (take < due && static_cast<std::uint64_t>(take) < wanted)
        gaps_.add(static_cast<std::uint64_t>(ticks_ + take) * samples_per_beat_,
                  static_cast<std::uint64_t>(due - take) * samples_per_beat_, drop_cause_);
    ticks_ += due;
    if (dac_ != nullptr) dac_->forget_output(origin_ + static_cast<std::uint64_t>(ticks_) * beat_bytes());
}

void Adc::accept(std::int64_t beats) {
    std::uint64_t nbytes = static_cast<std::uint64_t>(beats) * beat_bytes();
    if (capture_ != 0) nbytes = std::min(nbytes, 2 * (capture_ - accepted_));
    const std::uint64_t position = origin_ + static_cast<std::uint64_t>(ticks_) * beat_bytes();
    accepted_ += nbytes / 2;
    fifo_.push(*source_, position, nbytes);
    high_ = std::max(high_, level_beats(0));
}

Time Adc::when_beats_more(std::int64_t beats) const { return grid_.at(ticks_ + beats); }

Pull Adc::offer(Time now, std::uint32_t limit, Cause late_cause, Component& consumer) {
    drop_cause_ = late_cause;
    // Somebody may have read a counter while samples were dropped: why they are is known only now.
    if (late_cause != Cause::bandwidth) gaps_.attribute(static_cast<std::uint64_t>(ticks_) * samples_per_beat_, late_cause);
    settle(now);
    drop_cause_ = Cause::bandwidth;
    const std::uint64_t packet_bytes = 2 * packet_;
    const std::uint64_t to_packet_end =
        packet_bytes == 0 ? UINT64_MAX : packet_bytes - delivered_ % packet_bytes;
    const std::uint64_t to_capture_end = capture_ == 0 ? UINT64_MAX : 2 * capture_ - delivered_;
    auto want = static_cast<std::uint32_t>(std::min<std::uint64_t>({limit, to_packet_end, to_capture_end}));
    want = std::min(want, depth_ * beat_bytes());  // a shallow FIFO never holds a whole burst
    if (!started_ || to_capture_end == 0) {
        waiting_ = &consumer;
        return {};
    }
    if (fifo_.level() < want) {
        const std::uint32_t missing_beats = (want - fifo_.level() + beat_bytes() - 1) / beat_bytes();
        Pull later;
        later.when = when_beats_more(missing_beats);
        return later;
    }
    Pull offered;
    offered.nbytes = want;
    offered.end_of_packet = want == to_packet_end || want == to_capture_end;
    return offered;
}

Pull Adc::pull(Time now, std::uint8_t* destination, std::uint32_t limit, Cause late_cause, Component& consumer) {
    const Pull taken = offer(now, limit, late_cause, consumer);
    if (taken.nbytes == 0) return taken;
    fifo_.pop(*source_, destination, taken.nbytes);
    delivered_ += taken.nbytes;
    return taken;
}

}  // namespace gapless
