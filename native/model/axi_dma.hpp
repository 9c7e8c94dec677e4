// An AXI DMA instance: two channels and one reset.
#pragma once

#include "model/dma_channel.hpp"

namespace gapless {

class AxiDma final : public Device {
public:
    AxiDma(DmaConfig config, DmaWorld world) : config_(std::move(config)), mm2s_(config_, world), s2mm_(config_, world) {}

    std::uint32_t read(std::uint32_t offset, Time now) override {
        return offset < s2mm_offset ? mm2s_.read(offset, now) : s2mm_.read(offset - s2mm_offset, now);
    }
    void write(std::uint32_t offset, std::uint32_t value, Time now) override {
        const bool upper = offset >= s2mm_offset;
        const std::uint32_t within = upper ? offset - s2mm_offset : offset;
        if (within == DmaChannel::dmacr && (value & DmaChannel::soft_reset) != 0) {
            // Either channel's reset bit resets the whole core (PG021, DMACR bit 2).
            mm2s_.reset(now);
            s2mm_.reset(now);
        } else if (upper) {
            s2mm_.write(within, value, now);
        } else {
            mm2s_.write(within, value, now);
        }
    }

    Mm2sChannel& mm2s() { return mm2s_; }
    S2mmChannel& s2mm() { return s2mm_; }

private:
    static constexpr std::uint32_t s2mm_offset = 0x30;
    const DmaConfig config_;
    Mm2sChannel mm2s_;
    S2mmChannel s2mm_;
};

}  // namespace gapless
