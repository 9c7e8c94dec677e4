#include "model/peripherals/quad_spi.hpp"

namespace gapless {

namespace {

// PG153, "Register Space".
enum Offset : std::uint32_t {
    interrupts = 0x1C,  // DGIER; IPISR is at 0x20, IPIER at 0x28
    srr = 0x40, spicr = 0x60, spisr = 0x64, dtr = 0x68, drr = 0x6C, spissr = 0x70, tx_fifo_ocy = 0x74,
    rx_fifo_ocy = 0x78,
};

enum Control : std::uint32_t {
    loopback = 1u << 0, enable = 1u << 1, master = 1u << 2, transmit_reset = 1u << 5, receive_reset = 1u << 6,
    manual_select = 1u << 7, inhibit = 1u << 8, lsb_first = 1u << 9, control_bits = 0x3FF,
    control_at_reset = manual_select | inhibit,
};

enum Status : std::uint32_t {
    receive_empty = 1u << 0, receive_full = 1u << 1, transmit_empty = 1u << 2, transmit_full = 1u << 3,
    not_selected = 1u << 5,   // as a slave, which this model never is
    slave_error = 1u << 7,    // 0xA5 is the register's value at reset: not a master
};

enum Event : std::uint32_t {
    event_transmit_empty = 1u << 2, event_receive_full = 1u << 4, event_receive_overrun = 1u << 5,
    event_half_empty = 1u << 6, event_receive_not_empty = 1u << 8,
};

constexpr std::uint32_t reset_key = 0xA;

std::uint8_t reversed(std::uint8_t byte) {
    unsigned result = 0;
    for (unsigned bit = 0; bit < 8; ++bit) result |= (byte >> bit & 1u) << (7 - bit);
    return static_cast<std::uint8_t>(result);
}

}  // namespace

QuadSpi::QuadSpi(std::int64_t hertz, unsigned ratio, unsigned fifo_depth, unsigned slaves)
    : clock_(hertz), ratio_(ratio), slaves_(slaves),
      slave_mask_(static_cast<std::uint32_t>((std::uint64_t{1} << slaves) - 1)), transmit_(fifo_depth),
      receive_(fifo_depth), control_(control_at_reset), slave_select_(slave_mask_) {}

std::uint32_t QuadSpi::status() const {
    const auto flag = [](bool set, std::uint32_t bit) { return set ? bit : 0; };
    return not_selected | flag((control_ & master) == 0, slave_error) | flag(receive_.empty(), receive_empty) |
           flag(receive_.full(), receive_full) | flag(transmit_.empty(), transmit_empty) |
           flag(transmit_.full(), transmit_full);
}

std::uint32_t QuadSpi::read(std::uint32_t offset, Time) {
    if (offset >= interrupts && InterruptBlock::contains(offset - interrupts))
        return interrupts_.read(offset - interrupts);
    switch (offset) {
        case spicr: return control_;
        case spisr: return status();
        case drr: return receive_.pop();
        case spissr: return slave_select_;
        case tx_fifo_ocy: return transmit_.occupancy();
        case rx_fifo_ocy: return receive_.occupancy();
        default: return 0;
    }
}

bool QuadSpi::steady(std::uint32_t offset) const { return offset != drr || receive_.empty(); }

void QuadSpi::write(std::uint32_t offset, std::uint32_t value, Time now) {
    if (offset >= interrupts && InterruptBlock::contains(offset - interrupts))
        return interrupts_.write(offset - interrupts, value, now);
    switch (offset) {
        case srr:
            if (value == reset_key) reset(now);
            return;
        case spicr: write_control(value); break;
        case dtr: transmit_.push(static_cast<std::uint8_t>(value)); break;
        case spissr: slave_select_ = value & slave_mask_; break;
        default: return;
    }
    proceed(now);
}

void QuadSpi::write_control(std::uint32_t value) {
    if ((value & transmit_reset) != 0) transmit_.clear();
    if ((value & receive_reset) != 0) receive_.clear();
    control_ = value & control_bits & ~(transmit_reset | receive_reset);
}

void QuadSpi::reset(Time now) {
    transmit_.clear();
    receive_.clear();
    control_ = control_at_reset;
    slave_select_ = slave_mask_;
    interrupts_.reset(now);
    proceed(now);
}

bool QuadSpi::may_transfer() const {
    return (control_ & (enable | master | inhibit)) == (enable | master) && !transmit_.empty();
}

// Starts the next byte, or ends one that software takes back: it stays in the FIFO.
void QuadSpi::proceed(Time now) {
    if (!may_transfer()) {
        shifting_ = false;
        set_due(never);
    } else if (!shifting_) {
        shifting_ = true;
        set_due(clock_.after(now, 8 * std::int64_t{ratio_}));
    }
    select();
}

// PG153, "SPI Control Register", bit 7: the lines follow the slave select register, or only during a transfer.
void QuadSpi::select() {
    const bool asserted = (control_ & (enable | master)) == (enable | master) &&
                          ((control_ & manual_select) != 0 || shifting_);
    const std::uint32_t chosen = asserted ? ~slave_select_ & slave_mask_ : 0;
    const std::uint32_t changed = chosen ^ selected_;
    selected_ = chosen;
    for (unsigned i = 0; i < slaves_; ++i)
        if ((changed >> i & 1) != 0 && targets_[i] != nullptr) targets_[i]->select((chosen >> i & 1) != 0);
}

void QuadSpi::step(Time now) {
    const std::uint8_t byte = exchange(transmit_.front());
    std::uint32_t events = 0;
    // PG153, "IP Interrupt Status Register": a byte that finds the receive FIFO full is lost.
    if (receive_.empty()) events |= event_receive_not_empty;
    if (!receive_.push(byte)) events |= event_receive_overrun;
    if (receive_.full()) events |= event_receive_full;
    transmit_.pop();
    if (transmit_.empty()) events |= event_transmit_empty;
    if (transmit_.size() == transmit_.depth() / 2) events |= event_half_empty;
    shifting_ = false;
    proceed(now);
    interrupts_.raise(events, now);
}

std::uint8_t QuadSpi::exchange(std::uint8_t byte) {
    if ((control_ & loopback) != 0) return byte;
    const bool reverse = (control_ & lsb_first) != 0;
    std::uint8_t answer = 0;
    for (unsigned i = 0; i < slaves_; ++i)
        if ((selected_ >> i & 1) != 0 && targets_[i] != nullptr)
            answer |= targets_[i]->exchange(reverse ? reversed(byte) : byte);
    return reverse ? reversed(answer) : answer;
}

void QuadSpi::attach(unsigned slave, std::shared_ptr<SpiTarget> target) {
    targets_.at(slave) = std::move(target);
    if ((selected_ >> slave & 1) != 0 && targets_[slave] != nullptr) targets_[slave]->select(true);
}

}  // namespace gapless
