// The three interrupt registers that AXI GPIO, AXI IIC and AXI Quad SPI have in common (PG144, PG090 and PG153, "Register
// Space"): a global enable in bit 31, a status whose bits toggle when 1 is written to them, and an enable for each bit.
#pragma once

#include "model/peripheral.hpp"

namespace gapless {

class InterruptBlock {
public:
    // Offsets from the global enable; the status is 4 bytes, the enables are 12 bytes behind it.
    enum Offset : std::uint32_t { global = 0, status = 4, enable = 12 };

    // `events`: the bits that exist.
    InterruptBlock(Wire& wire, std::uint32_t events) : wire_(wire), events_(events) {}

    static bool contains(std::uint32_t offset) { return offset == global || offset == status || offset == enable; }
    std::uint32_t read(std::uint32_t offset) const {
        switch (offset) {
            case global: return global_ ? 1u << 31 : 0;
            case status: return status_;
            case enable: return enable_;
            default: return 0;
        }
    }
    void write(std::uint32_t offset, std::uint32_t value, Time now) {
        switch (offset) {
            case global: global_ = value >> 31 != 0; break;
            case status: status_ ^= value & events_; break;
            case enable: enable_ = value & events_; break;
            default: return;
        }
        drive(now);
    }
    void raise(std::uint32_t events, Time now) {
        status_ |= events & events_;
        drive(now);
    }
    void reset(Time now) {
        global_ = false;
        status_ = enable_ = 0;
        drive(now);
    }

private:
    void drive(Time now) { wire_.drive(global_ && (status_ & enable_) != 0, now); }

    Wire& wire_;
    const std::uint32_t events_;
    bool global_ = false;
    std::uint32_t status_ = 0, enable_ = 0;
};

}  // namespace gapless
