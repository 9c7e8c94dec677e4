// The bits of special purpose registers. Source: UG984, "Machine Status Register" and "Exception Status Register".
#pragma once

#include <cstdint>

namespace gapless::microblaze {

namespace msr {
constexpr std::uint32_t interrupt_enable = 1u << 1;
constexpr std::uint32_t carry = 1u << 2;
constexpr std::uint32_t break_in_progress = 1u << 3;
constexpr std::uint32_t division_error = 1u << 6;
constexpr std::uint32_t exception_enable = 1u << 8;
constexpr std::uint32_t exception_in_progress = 1u << 9;
constexpr std::uint32_t carry_copy = 1u << 31;
}  // namespace msr

namespace esr {
constexpr std::uint32_t unaligned = 1, illegal_opcode = 2, instruction_bus = 3, data_bus = 4, divide = 5;
constexpr unsigned rx_shift = 5;
constexpr std::uint32_t store = 1u << 10;
constexpr std::uint32_t word = 1u << 11;             // of an unaligned access
constexpr std::uint32_t divide_overflow = 1u << 11;  // of a divide exception; otherwise by zero
constexpr std::uint32_t delay_slot = 1u << 12;
}  // namespace esr

// UG984, "Reset, Interrupts, Exceptions, and Break", with C_BASE_VECTORS = 0.
namespace vector {
constexpr std::uint32_t user = 0x08, interrupt = 0x10, software_break = 0x18, exception = 0x20;
}

}  // namespace gapless::microblaze
