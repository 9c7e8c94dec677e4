// Several ADCs in step on one stream: an AXI4-Stream combiner. Sample k of each frame is ADC k's.
#pragma once

#include <vector>

#include "model/adc.hpp"
#include "model/pair_monitor.hpp"
#include "samples/kernels.hpp"

namespace gapless {

class Combiner final : public PairMonitor, public StreamSource {
public:
    // 2, 4 or 8 ADCs.
    explicit Combiner(std::vector<Adc*> adcs);

    // Takes as much of each ADC, and only when all have it. A packet ends where an ADC's does, and is
    // always whole frames.
    Pull pull(Time now, std::uint8_t* destination, std::uint32_t limit, Cause late_cause,
              Component& consumer) override;

protected:
    void on_clear() override { given_ = joined_bytes(); }

private:
    // Fills joined_ with at most `frames` frames; or false, and `retry` says when, if not woken before.
    bool join(Time now, std::uint32_t frames, Cause late_cause, Component& consumer, Time& retry);
    std::uint32_t joined_bytes() const { return static_cast<std::uint32_t>(2 * joined_.size()); }

    const std::vector<Adc*> adcs_;
    const Kernels& kernels_;
    std::vector<std::vector<std::int16_t>> shares_;
    std::vector<std::int16_t> joined_;
    std::uint32_t given_ = 0;     // bytes of joined_ that were handed out
    bool end_of_packet_ = false;  // joined_ ends one
};

}  // namespace gapless
