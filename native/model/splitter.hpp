// One stream for several DACs in step: an AXI4-Stream broadcaster, of whose words each DAC gets its lanes.
// Sample k of each frame goes to DAC k.
#pragma once

#include <optional>
#include <vector>

#include "model/dac.hpp"
#include "model/pair_monitor.hpp"
#include "samples/kernels.hpp"

namespace gapless {

class Splitter final : public PairMonitor, public StreamSink {
public:
    // 2, 4 or 8 DACs with words of one width.
    explicit Splitter(std::vector<Dac*> dacs);

    // A word enters all DACs or none, so none runs ahead: a burst is taken when all have room, and its last
    // word has entered when it has entered the slowest.
    std::optional<Time> push(const Burst& burst, Component& producer) override;

protected:
    void on_clear() override { held_.clear(); }

private:
    bool watched() const;
    void separate(const std::uint8_t* data, std::uint32_t nbytes);

    const std::vector<Dac*> dacs_;
    const Kernels& kernels_;
    // The start of a word whose end the next burst brings: memory bursts end where they like.
    std::vector<std::uint8_t> held_;
    std::vector<std::int16_t> frames_;
    std::vector<std::vector<std::int16_t>> shares_;  // of the burst, one for each DAC
};

}  // namespace gapless
