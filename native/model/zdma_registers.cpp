// The registers of a ZDMA channel (UG1087, "ZDMA Module").
#include "model/zdma.hpp"

namespace gapless {

namespace {

constexpr std::uint32_t upper_address = 0x1FFFF;  // addresses have 49 bits

// Which bits of a register software can write; 0 for those it cannot, and for those with effects of their own.
std::uint32_t writable(std::uint32_t offset) {
    switch (offset) {
        case 0x000: return 0x1;
        case 0x110: return 0xFE;
        case 0x114: return 0x3FF;
        case 0x118: return 0x3F;
        case 0x120: return 0x0FFFFFFF;
        case 0x124: return 0x1FF;
        case 0x12C: case 0x13C: case 0x15C: case 0x164: return upper_address;
        case 0x130: case 0x140: return 0x3FFFFFFF;
        case 0x134: return 0x1F;
        case 0x144: return 0x5 | 0x2;
        case 0x128: case 0x138: case 0x148: case 0x14C: case 0x150: case 0x154: case 0x158: case 0x160:
            return 0xFFFFFFFF;
        case 0x18C: return 0xFFF;
        case 0x200: return 0x1;
        default: return 0;
    }
}

bool exists(std::uint32_t offset) { return offset == 0 || offset == 0x200 || (offset >= 0x100 && offset <= 0x19C); }

}  // namespace

std::uint32_t Zdma::read(std::uint32_t offset, Time) {
    if (!exists(offset)) {
        raise(invalid_access);
        return 0;
    }
    const std::uint32_t value = reg(offset);
    switch (offset) {
        case ien: case ids: return 0;
        case status: return static_cast<std::uint32_t>(state_);
        case src_acct: case dst_acct: reg(offset) = 0; return value;  // read to clear
        default: return value;
    }
}

void Zdma::write(std::uint32_t offset, std::uint32_t value, Time now) {
    if (!exists(offset)) {
        raise(invalid_access);
        return;
    }
    switch (offset) {
        case isr: reg(isr) &= ~value; break;
        case ien: reg(imr) &= ~(value & every_event); break;
        case ids: reg(imr) |= value & every_event; break;
        case total_byte: reg(total_byte) &= ~value; break;
        default: {
            const std::uint32_t mask = writable(offset);
            if (mask != 0) reg(offset) = value & mask;
        }
    }
    if (offset == ctrl0 || offset == ctrl2) control_written(now);
    update_line();
}

void Zdma::raise(std::uint32_t events) {
    reg(isr) |= events;
    update_line();
}

void Zdma::update_line() {
    world_.interrupts.set(config_.interrupt, (reg(isr) & ~reg(imr)) != 0 && !interrupt_lost_);
}

void Zdma::set_wide(std::uint32_t offset, std::uint64_t value) {
    reg(offset) = static_cast<std::uint32_t>(value);
    reg(offset + 4) = static_cast<std::uint32_t>(value >> 32) & upper_address;
}

}  // namespace gapless
