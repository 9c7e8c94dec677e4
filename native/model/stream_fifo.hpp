// An AXI4-Stream data FIFO between two DMA channels: packets in, the same packets out.
#pragma once

#include <deque>
#include <vector>

#include "model/stream.hpp"

namespace gapless {

class StreamFifo final : public StreamSink, public StreamSource {
public:
    explicit StreamFifo(std::uint32_t depth) : storage_(depth) {}

    std::optional<Time> push(const Burst& burst, Component& producer) override;
    std::uint32_t largest_burst() const override { return static_cast<std::uint32_t>(storage_.size()); }
    Pull pull(Time now, std::uint8_t* destination, std::uint32_t limit, Cause late_cause,
              Component& consumer) override;

    std::uint32_t level() const { return level_; }
    // Everything inside is lost, as when the design's reset reaches the FIFO.
    void clear();

private:
    struct Chunk {
        std::uint32_t nbytes;
        Time ready;
        bool end_of_packet;
    };
    std::vector<std::uint8_t> storage_;
    std::deque<Chunk> chunks_;
    std::uint32_t read_ = 0, level_ = 0;
    Component* producer_ = nullptr;  // waits for room
    Component* consumer_ = nullptr;  // waits for data
};

}  // namespace gapless
