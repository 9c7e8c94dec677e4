#include "model/dma_channel.hpp"

#include <algorithm>
#include <cstring>

namespace gapless {

namespace {

constexpr std::uint32_t descriptor_bytes = 64, status_offset = 0x1C;
constexpr std::uint32_t descriptor_complete = 1u << 31;
constexpr std::size_t prefetch_limit = 4;  // descriptors fetched ahead of the one in progress
// PG021, "Latency": tail write to the first SG read, and SG read to the first data read.
constexpr std::uint32_t tail_to_fetch_clocks = 10, fetch_clocks = 28;
constexpr std::uint32_t reset_clocks = 16;
constexpr std::uint32_t length_mask = 0x03FFFFFF;

std::uint32_t load32(const std::uint8_t* at) {
    std::uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

void set_half(std::uint64_t& target, bool upper, std::uint32_t value) {
    target = upper ? (target & 0xFFFFFFFF) | std::uint64_t{value} << 32 : (target & ~std::uint64_t{0xFFFFFFFF}) | value;
}

}  // namespace

DmaChannel::DmaChannel(const DmaConfig& config, DmaWorld world, int interrupt, const char* name)
    : config_(config),
      world_(world),
      name_(config.name + " " + name),
      interrupt_(interrupt),
      clock_period_(1e12 / config.clock),
      stream_(config.clock * config.data_bytes) {}

// ---- registers -------------------------------------------------------------------------------------

std::uint64_t DmaChannel::address_mask() const {
    return config_.address_width >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << config_.address_width) - 1;
}

std::uint32_t DmaChannel::status_word() const {
    std::uint32_t value = errors_ | irqs_;
    if (halted_) value |= status_halted;
    if (idle_ && !halted_) value |= idle;
    if (config_.scatter_gather) value |= sg_included | threshold_left_ << 16 | (control_ & 0xFF000000);
    return value;
}

std::uint32_t DmaChannel::read(std::uint32_t offset, Time now) {
    const bool wide = config_.address_width > 32;
    const bool sg = config_.scatter_gather;
    switch (offset) {
        case dmacr: return control_ | (now < reset_until_ ? soft_reset : 0u);
        case dmasr: return status_word();
        case curdesc: return sg ? static_cast<std::uint32_t>(current_) : 0;
        case curdesc_msb: return sg && wide ? static_cast<std::uint32_t>(current_ >> 32) : 0;
        case taildesc: return sg ? static_cast<std::uint32_t>(tail_) : 0;
        case taildesc_msb: return sg && wide ? static_cast<std::uint32_t>(tail_ >> 32) : 0;
        case address: return sg ? 0 : static_cast<std::uint32_t>(address_);
        case address_msb: return !sg && wide ? static_cast<std::uint32_t>(address_ >> 32) : 0;
        case length: return sg ? 0 : length_;
        default: return 0;
    }
}

void DmaChannel::write(std::uint32_t offset, std::uint32_t value, Time now) {
    if (now < reset_until_) return;  // the core is in reset
    const bool wide = config_.address_width > 32;
    const bool sg = config_.scatter_gather;
    switch (offset) {
        case dmacr: write_control(value, now); break;
        case dmasr:
            irqs_ &= ~(value & (ioc_irq | delay_irq | error_irq));
            update_line();
            break;
        case curdesc:
            // Read-only while running: the engine owns it.
            if (sg && halted_) set_half(current_, false, value & ~std::uint32_t{descriptor_bytes - 1});
            break;
        case curdesc_msb:
            if (sg && wide && halted_) set_half(current_, true, value);
            break;
        case taildesc:
            if (sg) write_tail(value & ~std::uint32_t{descriptor_bytes - 1}, false, now);
            break;
        case taildesc_msb:
            if (sg && wide) write_tail(value, true, now);
            break;
        case address:
            if (!sg) set_half(address_, false, value);
            break;
        case address_msb:
            if (!sg && wide) set_half(address_, true, value);
            break;
        case length:
            if (!sg) write_length(value, now);
            break;
        default: break;
    }
    update_due();
}

void DmaChannel::write_control(std::uint32_t value, Time now) {
    if ((value & cyclic) != (control_ & cyclic) && !halted_ && !idle_) {
        world_.findings.add(now, "cyclic-changed-while-running",
                            name_ + ": Cyclic BD Enable changed while the channel runs; ignored (PG021, DMACR bit 4)",
                            current_);
        value = (value & ~cyclic) | (control_ & cyclic);
    }
    if ((value & keyhole) != 0)
        world_.findings.add(now, "keyhole", name_ + ": Keyhole is set; the model reads ascending addresses all the same",
                            0);
    const std::uint32_t writable = run | keyhole | cyclic | ioc_enable | delay_enable | error_enable | 0xFF000000;
    const std::uint32_t threshold = value >> 16 & 0xFF;
    const bool was_running = (control_ & run) != 0;
    std::uint32_t next = (value & writable) | control_reserved | (control_ & 0x00FF0000);
    if (threshold != 0) {  // writing 0 has no effect
        next = (next & ~0x00FF0000u) | threshold << 16;
        if (threshold != (control_ >> 16 & 0xFF)) threshold_left_ = threshold;
    }
    if (errors_ != 0) next &= ~static_cast<std::uint32_t>(run);  // only a reset gets it out of an error
    control_ = next;
    if ((control_ & run) != 0 && !was_running) {
        halted_ = stopping_ = false;
        idle_ = false;
        if (config_.scatter_gather) {
            at_tail_ = fetch_fresh_ = true;
            threshold_left_ = control_ >> 16 & 0xFF;
        }
    } else if ((control_ & run) == 0 && was_running) {
        stop();
    }
    update_line();
}

// What is in flight is completed; Halted follows.
void DmaChannel::stop() {
    stopping_ = true;
    fetched_.clear();
    fetch_due_ = never;
    settle_state();
}

void DmaChannel::write_tail(std::uint32_t value, bool upper, Time now) {
    set_half(tail_, upper, value);
    if (halted_ || stopping_) return;  // moves the pause point and starts nothing (PG021, TAILDESC)
    if (!idle_ && !fetch_fresh_ && last_fetched_ == (tail_ & address_mask())) {
        // The pause point is what was fetched last: the same tail again, or the upper half after the lower.
        at_tail_ = true;
        fetch_due_ = never;
        return;
    }
    if (upper) return;  // the lower half starts the fetch
    if (at_tail_) {
        at_tail_ = false;
        idle_ = false;
        if (fetch_fresh_) next_fetch_ = current_;
        kick_fetch(now + clocks(tail_to_fetch_clocks));
    }
}

// The hardware drops the bits that its length field has no room for, and tells nobody.
std::uint32_t DmaChannel::kept_length(std::uint32_t value, const char* what, std::uint64_t where, Time now) {
    const std::uint32_t kept = value & static_cast<std::uint32_t>((std::uint64_t{1} << config_.length_width) - 1);
    if (kept != value)
        world_.findings.add(now, "length-truncated",
                            name_ + ": " + what + " " + std::to_string(value) + " does not fit its " +
                                std::to_string(config_.length_width) + "-bit field; the engine moves " +
                                std::to_string(kept) + " bytes",
                            where);
    return kept;
}

void DmaChannel::write_length(std::uint32_t value, Time now) {
    const std::uint32_t kept = kept_length(value, "LENGTH", address_, now);
    if (halted_ || stopping_) return;
    if (active_valid_ || !completions_.empty()) {
        world_.findings.add(now, "length-while-busy", name_ + ": LENGTH written while a transfer runs; ignored", address_);
        return;
    }
    length_ = kept;
    if (kept == 0) return;
    idle_ = false;
    Transfer transfer;
    transfer.address = address_ & address_mask();
    transfer.length = kept;
    transfer.first_of_packet = transfer.last_of_packet = true;
    late_cause_ = Cause::late;
    start_transfer(transfer, now + clocks(start_clocks()));
}

void DmaChannel::reset(Time now) {
    control_ = control_at_reset;
    errors_ = irqs_ = 0;
    halted_ = true;
    idle_ = stopping_ = false;
    current_ = tail_ = address_ = 0;
    length_ = 0;
    threshold_left_ = 1;
    at_tail_ = fetch_fresh_ = true;
    fetched_.clear();
    completions_.clear();
    outstanding_.clear();
    active_valid_ = packet_open_ = false;
    move_due_ = fetch_due_ = delay_due_ = never;
    reset_until_ = now + clocks(reset_clocks);
    late_cause_ = Cause::late;
    forget_stream();
    update_line();
    update_due();
}

// ---- descriptors -----------------------------------------------------------------------------------

void DmaChannel::kick_fetch(Time when) {
    const std::size_t held = fetched_.size() + (active_valid_ ? 1 : 0);
    if (at_tail_ || stopping_ || halted_ || fetch_due_ != never || held >= prefetch_limit) return;
    fetch_due_ = when + clocks(fetch_clocks);
}

void DmaChannel::fetch(Time now) {
    fetch_due_ = never;
    const std::uint64_t at = next_fetch_ & address_mask();
    switch (world_.memory.respond(at, descriptor_bytes)) {
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
    if (!config_.realignment && transfer.address % config_.data_bytes != 0) {
        world_.findings.add(when, "misaligned",
                            name_ + ": buffer address " + hex(transfer.address) + " is not a multiple of " +
                                std::to_string(config_.data_bytes) +
                                " and the engine has no realignment (DRE): the low bits are lost",
                            transfer.address);
        active_.address -= transfer.address % config_.data_bytes;
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

// ---- data ------------------------------------------------------------------------------------------

std::uint32_t DmaChannel::next_burst(std::uint32_t limit) const {
    const std::uint64_t at = active_.address + active_.moved;
    const auto to_boundary = static_cast<std::uint32_t>(burst_limit - at % burst_limit);
    return std::min({active_.length - active_.moved, to_boundary, limit});
}

bool DmaChannel::reach(std::uint32_t nbytes) {
    switch (world_.memory.respond(active_.address + active_.moved, nbytes)) {
        case Response::okay: return true;
        case Response::slave_error: fail(slave_error); return false;
        case Response::decode_error: fail(decode_error); return false;
    }
    return false;
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
    due_ = std::min(fetch_due_, delay_due_);
    if (active_valid_ && !stalled_) due_ = std::min(due_, move_due_);
    if (!completions_.empty()) due_ = std::min(due_, completions_.front().time);
}

void DmaChannel::update_line() {
    const std::uint32_t enabled = control_ & (ioc_enable | delay_enable | error_enable);
    world_.interrupts.set(interrupt_, (irqs_ & enabled) != 0 && !interrupt_lost_);
}

}  // namespace gapless
