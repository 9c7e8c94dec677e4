#include "model/peripherals/axi_intc.hpp"

#include <stdexcept>

namespace gapless {

namespace {

// PG099, "Register Space".
enum Offset : std::uint32_t {
    isr = 0x00, ipr = 0x04, ier = 0x08, iar = 0x0C, sie = 0x10, cie = 0x14, ivr = 0x18, mer = 0x1C,
};

enum Master : std::uint32_t {
    output_enable = 1u << 0,    // ME
    hardware_enable = 1u << 1,  // HIE: once set it stays; before, the status register is what software writes
};

std::uint32_t lowest_bit(std::uint32_t bits) {
    for (std::uint32_t bit = 0; bit < 32; ++bit)
        if ((bits >> bit & 1) != 0) return bit;
    return 0xFFFFFFFF;  // what IVR shows when nothing is pending
}

}  // namespace

std::uint32_t AxiIntc::read(std::uint32_t offset, Time) {
    switch (offset) {
        case isr: return status_;
        case ipr: return pending();
        case ier: return enable_;
        case ivr: return lowest_bit(pending());
        case mer: return master_;
        default: return 0;
    }
}

void AxiIntc::write(std::uint32_t offset, std::uint32_t value, Time now) {
    if (offset == mer) master_ = (master_ & hardware_enable) | (value & (output_enable | hardware_enable));
    value &= mask_;
    switch (offset) {
        case isr:
            // Interrupts made by software, before the hardware's are enabled.
            if ((master_ & hardware_enable) == 0) status_ = value;
            break;
        case ier: enable_ = value; break;
        case iar:
            latched_ &= ~value;
            status_ &= ~value;
            break;
        case sie: enable_ |= value; break;
        case cie: enable_ &= ~value; break;
        default: break;
    }
    update(now);
}

void AxiIntc::reset(Time now) {
    latched_ = status_ = enable_ = master_ = 0;
    update(now);
}

void AxiIntc::connect(unsigned input, Wire& wire) {
    if (!has_input(input)) throw std::invalid_argument("the controller has no such input");
    wire.connect([this, input](bool level, Time now) { set_input(input, level, now); });
    if (wire.level()) set_input(input, true, 0);
}

void AxiIntc::set_input(unsigned input, bool level, Time now) {
    const std::uint32_t bit = input < 32 ? (1u << input) & mask_ : 0;
    const std::uint32_t before = levels_;
    levels_ = level ? levels_ | bit : levels_ & ~bit;
    latched_ |= levels_ & ~before & edges_;
    update(now);
}

// A level that is still there after it was acknowledged is there again (PG099, "Interrupt Acknowledge Register").
void AxiIntc::update(Time now) {
    latched_ |= levels_ & ~edges_;
    if ((master_ & hardware_enable) != 0) status_ = latched_;
    interrupt.drive((master_ & output_enable) != 0 && pending() != 0, now);
}

}  // namespace gapless
