#include "model/peripherals/uart_lite.hpp"

#include <algorithm>
#include <utility>

namespace gapless {

namespace {

// PG142, "Register Space".
enum Offset : std::uint32_t { rx_fifo = 0x0, tx_fifo = 0x4, stat = 0x8, ctrl = 0xC };

enum Status : std::uint32_t {
    rx_valid = 1u << 0, rx_full = 1u << 1, tx_empty = 1u << 2, tx_full = 1u << 3, enabled = 1u << 4,
    overrun_error = 1u << 5,  // cleared by reading the register
};

enum Control : std::uint32_t { reset_tx = 1u << 0, reset_rx = 1u << 1, enable_interrupt = 1u << 4 };

// A bit is 16 ticks of a divider, which is rounded to the nearest whole number; a byte has 10 bits.
std::int64_t byte_cycles(std::int64_t hertz, std::int64_t baud) {
    const std::int64_t divider = (hertz + 8 * baud) / (16 * baud);
    return 160 * std::max<std::int64_t>(divider, 1);
}

}  // namespace

UartLite::UartLite(std::int64_t hertz, std::int64_t baud)
    : clock_(hertz), cycles_per_byte_(byte_cycles(hertz, baud)) {}

std::uint32_t UartLite::read(std::uint32_t offset, Time now) {
    if (offset == rx_fifo) {
        const std::uint8_t byte = receive_.pop();
        if (!receive_.empty()) pulse(now);
        return byte;
    }
    if (offset != stat) return 0;
    const auto flag = [](bool set, std::uint32_t bit) { return set ? bit : 0; };
    const std::uint32_t value = flag(!receive_.empty(), rx_valid) | flag(receive_.full(), rx_full) |
                                flag(transmit_.empty(), tx_empty) | flag(transmit_.full(), tx_full) |
                                flag(interrupt_enabled_, enabled) | flag(overrun_, overrun_error);
    overrun_ = false;
    return value;
}

bool UartLite::steady(std::uint32_t offset) const {
    if (offset == rx_fifo) return receive_.empty();
    return offset != stat || !overrun_;
}

void UartLite::write(std::uint32_t offset, std::uint32_t value, Time now) {
    if (offset == tx_fifo) {
        transmit_.push(static_cast<std::uint8_t>(value));
        if (sent_at_ == never) sent_at_ = clock_.after(now, cycles_per_byte_);
    } else if (offset == ctrl) {
        interrupt_enabled_ = (value & enable_interrupt) != 0;
        if ((value & reset_rx) != 0) receive_.clear();
        if ((value & reset_tx) != 0 && !transmit_.empty()) {
            transmit_.clear();
            sent_at_ = never;
            pulse(now);
        }
    }
    schedule();
}

void UartLite::reset(Time /*now*/) {
    transmit_.clear();
    receive_.clear();
    sent_at_ = never;
    overrun_ = interrupt_enabled_ = false;
    schedule();
}

void UartLite::step(Time now) {
    if (sent_at_ <= now) {
        // A byte stays in the FIFO until it was sent.
        sent_.push_back(transmit_.pop());
        sent_at_ = transmit_.empty() ? never : clock_.after(now, cycles_per_byte_);
        if (transmit_.empty()) pulse(now);
    }
    if (arrives_at_ <= now) {
        const bool first = receive_.empty();
        if (!receive_.push(arriving_.front())) overrun_ = true;
        arriving_.pop_front();
        arrives_at_ = arriving_.empty() ? never : clock_.after(now, cycles_per_byte_);
        if (first) pulse(now);
    }
    schedule();
}

void UartLite::put(const std::uint8_t* bytes, std::size_t count, Time now) {
    arriving_.insert(arriving_.end(), bytes, bytes + count);
    if (arrives_at_ == never && !arriving_.empty()) arrives_at_ = clock_.after(now, cycles_per_byte_);
    schedule();
}

std::vector<std::uint8_t> UartLite::take() { return std::exchange(sent_, {}); }

// The interrupt is an edge, one cycle wide: when the receive FIFO gets its first byte, or has more after one was read,
// and when the transmit FIFO becomes empty (PG142, "Interrupts").
void UartLite::pulse(Time now) {
    interrupt.drive(interrupt_enabled_, now);
    interrupt.drive(false, now);
}

void UartLite::schedule() { set_due(std::min(sent_at_, arrives_at_)); }

}  // namespace gapless
