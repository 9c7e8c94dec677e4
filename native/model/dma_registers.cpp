// The registers of a channel: what software reads, and what its writes start (PG021, "Register Space").
#include <string>

#include "model/dma_channel.hpp"

namespace gapless {

namespace {

constexpr std::uint32_t tail_to_fetch_clocks = 10;  // tail write to the first SG read (PG021, "Latency")
constexpr std::uint32_t reset_clocks = 16;

}  // namespace

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

}  // namespace gapless
