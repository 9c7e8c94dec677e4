#include "microblaze/decode.hpp"

namespace gapless::microblaze {
namespace {

// The parameter that gives the unit, or nullptr when it is there.
const char* missing(Unit unit, const Config& config) {
    switch (unit) {
        case Unit::base: return nullptr;
        case Unit::mul32: return config.multiplier != Multiplier::none ? nullptr : "C_USE_HW_MUL";
        case Unit::mul64: return config.multiplier == Multiplier::mul64 ? nullptr : "C_USE_HW_MUL=2";
        case Unit::barrel_shifter: return config.barrel_shifter ? nullptr : "C_USE_BARREL";
        case Unit::divider: return config.divider ? nullptr : "C_USE_DIV";
        case Unit::pattern_compare: return config.pattern_compare ? nullptr : "C_USE_PCMP_INSTR";
        case Unit::msr_instructions: return config.msr_instructions ? nullptr : "C_USE_MSR_INSTR";
        case Unit::reorder: return config.reorder ? nullptr : "C_USE_REORDER_INSTR";
    }
    return nullptr;
}

bool writable(std::uint32_t number) {
    return number == special::msr || number == special::fsr || number == special::slr || number == special::shr;
}

std::uint8_t small(unsigned number) { return static_cast<std::uint8_t>(number); }
std::uint8_t result(std::uint32_t opcode) { return small(rd_of(opcode) == 0 ? discarded : rd_of(opcode)); }

bool is_store(Operation operation) { return operation >= Operation::sb && operation <= Operation::swi; }

// bsefi takes `width` bits from `shift` on, bsifi writes the bits from `shift` to `width`; UG984 "bsi".
std::uint32_t field_mask(Operation operation, unsigned width, unsigned shift) {
    const unsigned bits = operation == Operation::bsefi ? width : width - shift + 1;
    const std::uint32_t mask = bits == 32 ? 0xFFFF'FFFF : (1u << bits) - 1;
    return operation == Operation::bsefi ? mask : mask << shift;
}

}  // namespace

Decoded decode(std::uint32_t opcode, const Config& config) {
    Decoded decoded{Operation::illegal, discarded, small(ra_of(opcode)), small(rb_of(opcode)), imm_of(opcode)};
    const Instruction* instruction = find_instruction(opcode);
    // What jumped into memory that nobody wrote finds `add r0, r0, r0` there: UG984, C_OPCODE_0x0_ILLEGAL.
    if (opcode == 0 || instruction == nullptr || missing(instruction->unit, config) != nullptr) return decoded;

    const Operation operation = instruction->operation;
    switch (instruction->form) {
        case Form::rd_ra_rb:
        case Form::rd_ra_imm:
            decoded.rd = is_store(operation) ? small(rd_of(opcode)) : result(opcode);
            break;
        case Form::rd_ra_shift:
            decoded.rd = result(opcode);
            decoded.imm = shift_of(opcode);
            break;
        case Form::rd_ra_width_shift:
            decoded.rd = result(opcode);
            decoded.rb = small(shift_of(opcode));
            decoded.imm = field_mask(operation, width_field(opcode), shift_of(opcode));
            break;
        case Form::rd_special:
        case Form::special_ra:
            decoded.imm = opcode & 0x3FFF;
            if (special_register(decoded.imm).empty()) return decoded;
            if (operation == Operation::mts && !writable(decoded.imm)) return decoded;
            if (operation == Operation::mfs) decoded.rd = result(opcode);
            break;
        case Form::rd_imm15:
            decoded.rd = result(opcode);
            decoded.imm = opcode & 0x7FFF;
            break;
        case Form::rd_ra:
        case Form::rd_rb:
        case Form::rd_imm:
        case Form::rd_relative:
            decoded.rd = result(opcode);
            break;
        case Form::prefix:
            decoded.imm = opcode << 16;
            break;
        case Form::imm5:
            decoded.imm = rd_of(opcode);
            break;
        case Form::ra_rb:
        case Form::rb:
        case Form::imm:
        case Form::relative:
        case Form::ra_relative:
        case Form::ra_imm:
            break;
    }
    decoded.operation = operation;
    return decoded;
}

const char* missing_unit(std::uint32_t opcode, const Config& config) {
    const Instruction* instruction = find_instruction(opcode);
    return instruction == nullptr ? nullptr : missing(instruction->unit, config);
}

}  // namespace gapless::microblaze
