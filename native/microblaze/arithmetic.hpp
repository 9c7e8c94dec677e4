// What the instructions compute. Source: UG984, "MicroBlaze Instruction Set Architecture", each under its name.
#pragma once

#include <cstdint>

namespace gapless::microblaze {

constexpr std::int32_t as_signed(std::uint32_t value) { return static_cast<std::int32_t>(value); }

inline std::uint32_t add_carry(std::uint32_t a, std::uint32_t b, std::uint32_t carry_in, std::uint32_t& carry_out) {
    const std::uint64_t sum = std::uint64_t{a} + b + carry_in;
    carry_out = static_cast<std::uint32_t>(sum >> 32);
    return static_cast<std::uint32_t>(sum);
}

// The sign tells which is the larger; the rest is the difference.
constexpr std::uint32_t compared(std::uint32_t a, std::uint32_t b, bool a_larger) {
    return ((b - a) & 0x7FFF'FFFF) | (a_larger ? 0x8000'0000 : 0);
}

constexpr std::uint32_t high_half(std::int64_t product) {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(product) >> 32);
}
constexpr std::uint32_t high_product(std::uint32_t a, std::uint32_t b) {
    return high_half(std::int64_t{as_signed(a)} * as_signed(b));
}
constexpr std::uint32_t high_product_mixed(std::uint32_t a, std::uint32_t b) {
    return high_half(std::int64_t{as_signed(a)} * std::int64_t{b});
}
constexpr std::uint32_t high_product_unsigned(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::uint32_t>(std::uint64_t{a} * b >> 32);
}

constexpr std::uint32_t shift_right_arithmetic(std::uint32_t value, std::uint32_t amount) {
    const std::uint32_t shifted = value >> (amount & 31);
    return (value >> 31) != 0 ? shifted | ~(0xFFFF'FFFF >> (amount & 31)) : shifted;
}

// 1 to 4 for the first byte, from the most significant on, that both have in the same place; 0 when none.
constexpr std::uint32_t first_equal_byte(std::uint32_t a, std::uint32_t b) {
    const std::uint32_t differs = a ^ b;
    for (std::uint32_t i = 1; i <= 4; ++i)
        if ((differs >> (32 - 8 * i) & 0xFF) == 0) return i;
    return 0;
}

constexpr std::uint32_t sign_extended(std::uint32_t value, std::uint32_t sign) {
    return ((value & (2 * sign - 1)) ^ sign) - sign;
}
constexpr std::uint32_t leading_zeros(std::uint32_t value) {
    return value == 0 ? 32 : static_cast<std::uint32_t>(__builtin_clz(value));
}

constexpr std::uint8_t swapped(std::uint8_t value) { return value; }
constexpr std::uint16_t swapped(std::uint16_t value) { return __builtin_bswap16(value); }
constexpr std::uint32_t swapped(std::uint32_t value) { return __builtin_bswap32(value); }

}  // namespace gapless::microblaze
