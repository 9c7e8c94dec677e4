// What moves, what completes and what fails on a channel, and when.
#include "model/dma_channel.hpp"

#include <algorithm>
#include <cstring>

namespace gapless {

DmaChannel::DmaChannel(const DmaConfig& config, DmaWorld world, int interrupt, const char* name)
    : config_(config),
      world_(world),
      name_(config.name + " " + name),
      interrupt_(interrupt),
      clock_period_(1e12 / config.clock),
      stream_(config.clock * config.data_bytes) {}

// ---- data ------------------------------------------------------------------------------------------

std::uint32_t DmaChannel::next_burst(std::uint32_t limit) const {
    const std::uint64_t at = active_.address + active_.moved;
    const auto to_boundary = static_cast<std::uint32_t>(burst_limit - at % burst_limit);
    return std::min({active_.length - active_.moved, to_boundary, limit});
}

bool DmaChannel::reach(std::uint32_t nbytes) {
    switch (respond(active_.address + active_.moved, nbytes)) {
        case Response::okay: return true;
        case Response::slave_error: fail(slave_error); return false;
        case Response::decode_error: fail(decode_error); return false;
    }
    return false;
}

Response DmaChannel::respond(std::uint64_t at, std::uint64_t nbytes) const {
    const auto holds = [&](const std::pair<std::uint64_t, std::uint64_t>& range) {
        const std::uint64_t offset = at - range.first;
        return offset < range.second && nbytes <= range.second - offset;
    };
    if (!config_.reach.empty() && std::none_of(config_.reach.begin(), config_.reach.end(), holds))
        return Response::decode_error;
    return world_.memory.respond(at, nbytes);
}

Port::Slot DmaChannel::serve(Time now, std::uint32_t nbytes) {
    const int kind = world_.memory.kind(active_.address + active_.moved);
    Port::Slot slot = config_.ports[static_cast<std::size_t>(kind)]->serve(now, nbytes);
    const Port::Slot own = stream_.serve(slot.begin, nbytes);
    slot = {own.begin, std::max(slot.end, own.end)};
    outstanding_.push_back(slot.end);
    while (outstanding_.size() > outstanding_limit) outstanding_.pop_front();
    return slot;
}

// The active transfer's last byte moves at `when`; what follows may start at once.
void DmaChannel::finish(Time when) {
    completions_.push_back({when, active_});
    active_valid_ = false;
    move_due_ = never;
}

void DmaChannel::complete(const Completion& completion) {
    const Transfer& transfer = completion.transfer;
    if (config_.scatter_gather) {
        std::uint8_t* words = world_.memory.translate(transfer.descriptor);
        const std::uint32_t status = descriptor_complete | completion_flags(transfer) | transfer.moved;
        std::memcpy(words + status_offset, &status, sizeof status);
        if (transfer.last_of_packet) packet_done(completion.time);
    } else {
        length_ = transfer.moved;
        idle_ = true;
        irqs_ |= ioc_irq;
    }
    update_line();
}

// PG021, DMACR.IRQThreshold and IRQDelay: packets are counted down; the timer runs from a packet's end.
void DmaChannel::packet_done(Time now) {
    const std::uint32_t delay = control_ >> 24;
    if (--threshold_left_ == 0) {
        threshold_left_ = control_ >> 16 & 0xFF;
        irqs_ |= ioc_irq;
        delay_due_ = never;
    } else if (delay != 0) {
        delay_due_ = now + clocks(125 * delay);
    }
}

void DmaChannel::fail(std::uint32_t status_bit) {
    errors_ |= status_bit;
    irqs_ |= error_irq;
    control_ &= ~static_cast<std::uint32_t>(run);
    if ((status_bit & (sg_internal_error | sg_slave_error | sg_decode_error)) != 0) {
        // The fetch runs ahead: the descriptor in progress is a good one, and the halt is graceful.
        stop();
        update_line();
        return;
    }
    if (config_.scatter_gather && active_valid_) {
        std::uint8_t* words = world_.memory.translate(active_.descriptor);
        // The descriptor's error bits are the status register's, 24 places up.
        const std::uint32_t status = status_bit << 24 | active_.moved;
        std::memcpy(words + status_offset, &status, sizeof status);
    }
    // What was moved before is moved.
    for (const Completion& completion : completions_) complete(completion);
    completions_.clear();
    fetched_.clear();
    outstanding_.clear();
    active_valid_ = false;
    move_due_ = fetch_due_ = delay_due_ = never;
    halted_ = true;
    idle_ = stopping_ = false;
    update_line();
}

// ---- time ------------------------------------------------------------------------------------------

void DmaChannel::settle_state() {
    if (halted_) return;
    if (stopping_ && active_valid_ && may_abandon()) {
        active_valid_ = false;
        move_due_ = never;
    }
    const bool quiet = !active_valid_ && completions_.empty();
    if (stopping_ && quiet) {
        halted_ = true;
        stopping_ = idle_ = false;
        fetched_.clear();
        outstanding_.clear();
        forget_stream();
    } else if (config_.scatter_gather && quiet && at_tail_ && fetched_.empty() && !fetch_fresh_ && !idle_) {
        idle_ = true;
        late_cause_ = Cause::late;
    }
}

void DmaChannel::step(Time now) {
    while (!completions_.empty() && completions_.front().time <= now) {
        const Completion completion = completions_.front();
        completions_.pop_front();
        complete(completion);
    }
    if (delay_due_ <= now) {
        delay_due_ = never;
        threshold_left_ = control_ >> 16 & 0xFF;
        irqs_ |= delay_irq;
        update_line();
    }
    if (fetch_due_ <= now) fetch(now);
    if (active_valid_ && move_due_ <= now && !stalled_) {
        move_due_ = never;
        move(now);
        if (!active_valid_) begin_next(now, true);
    }
    settle_state();
    update_due();
}

void DmaChannel::wake(Time now) {
    if (active_valid_ && move_due_ == never) move_due_ = now;
    update_due();
}

void DmaChannel::set_stalled(bool stalled, Time now) {
    if (stalled_ && !stalled && move_due_ != never) move_due_ = std::max(move_due_, now);
    if (stalled) late_cause_ = Cause::stalled;
    stalled_ = stalled;
    update_due();
}

void DmaChannel::update_due() {
    Time due = std::min(fetch_due_, delay_due_);
    if (active_valid_ && !stalled_) due = std::min(due, move_due_);
    if (!completions_.empty()) due = std::min(due, completions_.front().time);
    set_due(due);
}

void DmaChannel::update_line() {
    const std::uint32_t enabled = control_ & (ioc_enable | delay_enable | error_enable);
    world_.interrupts.set(interrupt_, (irqs_ & enabled) != 0 && !interrupt_lost_);
}

}  // namespace gapless
