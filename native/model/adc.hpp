// An ADC: a sample source on the ADC's clock, a TLAST generator and the stream FIFO behind it.
#pragma once

#include <memory>
#include <vector>

#include "model/analog_source.hpp"
#include "model/capture_fifo.hpp"
#include "model/converter.hpp"

namespace gapless {

class Dac;

class Adc final : public Converter, public StreamSource {
public:
    Adc(std::uint32_t samples_per_beat, std::uint32_t fifo_bytes);
    ~Adc() override;

    void set_source(std::unique_ptr<AnalogSource> source);
    // The DAC's output is the input, and the DAC's first sample is the trigger: sample 0 of a capture that
    // was enabled before is sample 0 of the DAC. Both run at one rate.
    void set_loopback(Dac& dac);

    // What pull() would take now, and nothing is taken.
    Pull offer(Time now, std::uint32_t limit, Cause late_cause, Component& consumer);
    Pull pull(Time now, std::uint8_t* destination, std::uint32_t limit, Cause late_cause,
              Component& consumer) override;

protected:
    void on_enable(Time now) override;
    void on_disable(Time now) override;
    void on_clear() override;
    void settle(Time now) override;
    std::uint64_t samples_at(Time) const override { return accepted_; }
    std::uint32_t level_beats(Time) const override { return (fifo_.level() + beat_bytes() - 1) / beat_bytes(); }
    bool has_started() const override { return started_; }
    bool is_done() const override { return capture_ != 0 && accepted_ >= capture_ && fifo_.level() == 0; }

private:
    void start(Time now, std::uint64_t position);
    void accept(std::int64_t beats);
    Time when_beats_more(std::int64_t beats) const;

    std::unique_ptr<AnalogSource> source_;
    Dac* dac_ = nullptr;
    TickGrid grid_;
    bool started_ = false;
    std::uint64_t origin_ = 0;     // of sample 0 in the source, in bytes
    std::int64_t ticks_ = 0;       // seen so far
    std::uint64_t accepted_ = 0;   // samples that entered the FIFO
    std::uint64_t delivered_ = 0;  // bytes that left it
    CaptureFifo fifo_;
    Cause drop_cause_ = Cause::late;
    Component* waiting_ = nullptr;
};

}  // namespace gapless
