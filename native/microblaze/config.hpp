// Which options a MicroBlaze was built with. Source: UG984, "MicroBlaze Architecture" and "MicroBlaze Signal Interface
// Description" (the C_... parameters).
#pragma once

#include <cstdint>

namespace gapless::microblaze {

enum class Multiplier : std::uint8_t { none, mul32, mul64 };  // C_USE_HW_MUL 0, 1, 2

struct Config {
    Multiplier multiplier = Multiplier::none;
    bool barrel_shifter = false;    // C_USE_BARREL: bs*, bsefi, bsifi
    bool divider = false;           // C_USE_DIV: idiv, idivu
    bool pattern_compare = false;   // C_USE_PCMP_INSTR: pcmp*, clz
    bool msr_instructions = false;  // C_USE_MSR_INSTR: msrset, msrclr
    bool reorder = true;            // C_USE_REORDER_INSTR: lwr, lhur, lbur, swr, shr, sbr, swapb, swaph
    // Without its exception, what went wrong stops the model with a fault: hardware would go on with a wrong result.
    bool illegal_opcode_exception = false;  // C_ILL_OPCODE_EXCEPTION, and an opcode of 0 (C_OPCODE_0x0_ILLEGAL)
    bool unaligned_exceptions = false;      // C_UNALIGNED_EXCEPTIONS
    bool bus_exceptions = false;            // C_M_AXI_I_BUS_EXCEPTION and C_M_AXI_D_BUS_EXCEPTION
    bool divide_exception = false;          // C_DIV_ZERO_EXCEPTION

    bool any_exception() const {
        return illegal_opcode_exception || unaligned_exceptions || bus_exceptions || divide_exception;
    }
};

}  // namespace gapless::microblaze
