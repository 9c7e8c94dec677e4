#include <algorithm>

#include "model/dma_channel.hpp"

namespace gapless {

S2mmChannel::S2mmChannel(const DmaConfig& config, DmaWorld world)
    : DmaChannel(config, world, config.s2mm_interrupt, "S2MM") {}

void S2mmChannel::move(Time now) {
    const std::uint32_t wanted = next_burst(burst_limit);
    if (!reach(wanted)) return;
    if (source_ != nullptr && source_->broken()) {
        fail(internal_error);
        return;
    }
    std::uint8_t* destination = world_.memory.translate(active_.address + active_.moved);
    const Pull pull = source_ == nullptr ? Pull{} : source_->pull(now, destination, wanted, late_cause_, *this);
    starved_ = pull.nbytes == 0;
    if (starved_) {
        move_due_ = pull.when;
        return;
    }
    late_cause_ = Cause::bandwidth;
    if (active_.moved == 0) active_.first_of_packet = !in_packet_;
    if (!in_packet_) packet_started();
    in_packet_ = !pull.end_of_packet;
    const Port::Slot slot = serve(now, pull.nbytes);
    active_.moved += pull.nbytes;
    active_.last_of_packet = pull.end_of_packet;
    ready_ = outstanding_.size() < outstanding_limit ? now : std::max(now, outstanding_.front());
    const bool full = active_.moved == active_.length;
    if (full && !pull.end_of_packet && !config_.scatter_gather) {
        fail(internal_error);  // the packet is longer than the space offered
        return;
    }
    if (pull.end_of_packet || full) {
        if (pull.end_of_packet) ready_ += clocks(packet_clocks());
        finish(slot.end);
    } else {
        move_due_ = ready_;
    }
}

}  // namespace gapless
