// An instruction as the interpreter holds it.
#pragma once

#include <cstdint>

#include "microblaze/config.hpp"
#include "microblaze/isa.hpp"

namespace gapless::microblaze {

// Where a result for r0 goes, which always reads zero.
constexpr unsigned discarded = 32;

struct Decoded {
    Operation operation = Operation::undecoded;
    std::uint8_t rd = discarded;  // of a store what it stores
    std::uint8_t ra = 0, rb = 0;
    // Sign-extended; of `imm` shifted to where it belongs; of a bit field the mask of it, with the shift in rb.
    std::uint32_t imm = 0;
};

Decoded decode(std::uint32_t opcode, const Config& config);

// Why decode() finds it illegal: the parameter that is off, or nullptr when there is no such instruction.
const char* missing_unit(std::uint32_t opcode, const Config& config);

}  // namespace gapless::microblaze
