#include <algorithm>

#include "model/dma_channel.hpp"

namespace gapless {

Mm2sChannel::Mm2sChannel(const DmaConfig& config, DmaWorld world)
    : DmaChannel(config, world, config.mm2s_interrupt, "MM2S") {}

void Mm2sChannel::move(Time now) {
    const std::uint32_t nbytes =
        next_burst(sink_ == nullptr ? burst_limit : std::min(burst_limit, sink_->largest_burst()));
    if (!reach(nbytes)) return;
    if (sink_ != nullptr && sink_->broken()) {
        fail(internal_error);
        return;
    }
    const Port::Slot slot = serve(now, nbytes);
    const std::uint32_t beats = std::max<std::uint32_t>(1, nbytes / config_.data_bytes);
    Burst burst;
    burst.now = now;
    burst.first = slot.begin + (slot.end - slot.begin) / beats;
    burst.last = slot.end;
    burst.data = world_.memory.translate(active_.address + active_.moved);
    burst.nbytes = nbytes;
    if (active_.moved == 0 && active_.first_of_packet) packet_started();
    const bool last = active_.moved + nbytes == active_.length;
    burst.end_of_packet = last && active_.last_of_packet;
    burst.late_cause = late_cause_;
    // With nothing connected the stream's TREADY is never seen: the channel waits for ever.
    const auto accepted = sink_ == nullptr ? std::nullopt : sink_->push(burst, *this);
    blocked_ = !accepted;
    if (blocked_) {
        outstanding_.pop_back();
        return;  // woken when there is room
    }
    late_cause_ = Cause::bandwidth;
    outstanding_.back() = *accepted;
    active_.moved += nbytes;
    // Reads run ahead of the stream by what the engine's own buffer holds.
    const Time next = outstanding_.size() < outstanding_limit ? slot.end : std::max(slot.end, outstanding_.front());
    ready_ = next + (burst.end_of_packet ? clocks(packet_clocks()) : 0);
    if (last)
        finish(*accepted);
    else
        move_due_ = ready_;
}

}  // namespace gapless
