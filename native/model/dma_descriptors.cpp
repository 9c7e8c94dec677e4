// Fetching descriptors, and starting what they describe (PG021, "Scatter Gather Descriptor").
#include <algorithm>
#include <cstring>
#include <string>

#include "model/dma_channel.hpp"

namespace gapless {

namespace {

constexpr std::size_t prefetch_limit = 4;  // descriptors fetched ahead of the one in progress
constexpr std::uint32_t fetch_clocks = 28;  // SG read to the first data read (PG021, "Latency")
constexpr std::uint32_t length_mask = 0x03FFFFFF;

std::uint32_t load32(const std::uint8_t* at) {
    std::uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

}  // namespace

void DmaChannel::kick_fetch(Time when) {
    const std::size_t held = fetched_.size() + (active_valid_ ? 1 : 0);
    if (at_tail_ || stopping_ || halted_ || fetch_due_ != never || held >= prefetch_limit) return;
    fetch_due_ = when + clocks(fetch_clocks);
}

void DmaChannel::fetch(Time now) {
    fetch_due_ = never;
    const std::uint64_t at = next_fetch_ & address_mask();
    switch (respond(at, descriptor_bytes)) {
        case Response::okay: break;
        case Response::slave_error: current_ = at; fail(sg_slave_error); return;
        case Response::decode_error: current_ = at; fail(sg_decode_error); return;
    }
    if (!world_.memory.in_one_buffer(at, descriptor_bytes))
        world_.findings.add(now, "descriptor-outside-buffer",
                            name_ + ": descriptor fetched from " + hex(at) + ", where no buffer is allocated", at);
    const std::uint8_t* words = world_.memory.translate(at);
    const std::uint32_t status = load32(words + status_offset);
    if ((status & descriptor_complete) != 0 && !cyclic_mode()) {
        current_ = at;
        fail(sg_internal_error);  // stale
        return;
    }
    const bool wide = config_.address_width > 32;
    const std::uint64_t next = load32(words) | (wide ? std::uint64_t{load32(words + 4)} << 32 : 0);
    const std::uint32_t word = load32(words + 0x18);
    Transfer transfer;
    transfer.descriptor = at;
    transfer.address = (load32(words + 8) | (wide ? std::uint64_t{load32(words + 12)} << 32 : 0)) & address_mask();
    transfer.length = kept_length(word & length_mask, "the descriptor's length", at, now);
    transfer.first_of_packet = (word & start_of_frame) != 0;
    transfer.last_of_packet = (word & end_of_frame) != 0;
    const bool starved = !active_valid_ && fetched_.empty() && !fetch_fresh_;
    if (starved && late_cause_ != Cause::late) late_cause_ = Cause::descriptor;
    fetched_.push_back(transfer);
    fetch_fresh_ = false;
    last_fetched_ = at;
    next_fetch_ = next & ~std::uint64_t{descriptor_bytes - 1};
    if (at == (tail_ & address_mask())) at_tail_ = true;
    if (!active_valid_) begin_next(now, false);
    kick_fetch(now);
}

void DmaChannel::begin_next(Time now, bool pipelined) {
    if (active_valid_ || fetched_.empty() || stopping_ || halted_) return;
    const Transfer transfer = fetched_.front();
    fetched_.pop_front();
    current_ = transfer.descriptor;
    if (transfer.length == 0) {
        active_ = transfer;
        active_valid_ = true;
        fail(internal_error);
        return;
    }
    start_transfer(transfer, pipelined ? std::max(now, ready_) : now + clocks(start_clocks()));
    kick_fetch(now);
}

void DmaChannel::start_transfer(const Transfer& transfer, Time when) {
    active_ = transfer;
    active_valid_ = true;
    if (!config_.realignment && transfer.address % config_.alignment() != 0) {
        world_.findings.add(when, "misaligned",
                            name_ + ": buffer address " + hex(transfer.address) + " is not a multiple of " +
                                std::to_string(config_.alignment()) +
                                " and the engine has no realignment (DRE): the low bits are lost",
                            transfer.address);
        active_.address -= transfer.address % config_.alignment();
    }
    check_buffer(active_, when);
    move_due_ = when;
}

void DmaChannel::check_buffer(const Transfer& transfer, Time now) {
    if (world_.memory.in_one_buffer(transfer.address, transfer.length)) return;
    const auto buffer = world_.memory.buffer_at(transfer.address);
    std::string text = name_ + ": transfer of " + std::to_string(transfer.length) + " bytes at " + hex(transfer.address);
    if (buffer)
        text += " runs past the end of its buffer at " + hex(buffer->first + buffer->second);
    else
        text += " goes where no buffer is allocated";
    world_.findings.add(now, buffer ? "past-buffer-end" : "unallocated-memory", std::move(text), transfer.address);
}

bool DmaChannel::uses(std::uint64_t base, std::uint64_t nbytes) const {
    const auto overlaps = [&](const Transfer& t) { return t.address < base + nbytes && base < t.address + t.length; };
    return (active_valid_ && overlaps(active_)) || std::any_of(fetched_.begin(), fetched_.end(), overlaps);
}

}  // namespace gapless
