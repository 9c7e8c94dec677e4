#include <cinttypes>
#include <cstdio>

#include "microblaze/cpu.hpp"
#include "microblaze/isa.hpp"

namespace gapless::microblaze {
namespace {

std::string hex(std::uint32_t value) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%" PRIx32, value);
    return text;
}
std::string reg(unsigned number) { return "r" + std::to_string(number); }
std::string number(std::uint32_t value) { return std::to_string(static_cast<std::int32_t>(value)); }

// Of mfs and mts: 14 bits.
std::string special_of(std::uint32_t opcode) {
    const std::string_view name = special_register(opcode & 0x3FFF);
    return name.empty() ? hex(opcode & 0x3FFF) : "r" + std::string(name);
}

std::string operands(const Instruction& instruction, std::uint32_t opcode) {
    const std::string rd = reg(rd_of(opcode)), ra = reg(ra_of(opcode)), rb = reg(rb_of(opcode));
    const std::string imm = number(imm_of(opcode));
    const unsigned shift = shift_of(opcode), width = width_field(opcode);
    switch (instruction.form) {
        case Form::rd_ra_rb: return rd + ", " + ra + ", " + rb;
        case Form::rd_ra_imm: return rd + ", " + ra + ", " + imm;
        case Form::rd_ra_shift: return rd + ", " + ra + ", " + std::to_string(shift);
        case Form::rd_ra_width_shift: {  // bsifi holds the last bit of the field, and is written with the width
            const unsigned written = instruction.operation == Operation::bsifi ? width - shift + 1 : width;
            return rd + ", " + ra + ", " + std::to_string(written) + ", " + std::to_string(shift);
        }
        case Form::rd_ra: return rd + ", " + ra;
        case Form::rd_imm15: return rd + ", " + std::to_string(opcode & 0x7FFF);
        case Form::rd_special: return rd + ", " + special_of(opcode);
        case Form::special_ra: return special_of(opcode) + ", " + ra;
        case Form::ra_rb: return ra + ", " + rb;
        case Form::rb: return rb;
        case Form::rd_rb: return rd + ", " + rb;
        case Form::imm:
        case Form::relative:
        case Form::prefix: return imm;
        case Form::rd_imm:
        case Form::rd_relative: return rd + ", " + imm;
        case Form::ra_relative:
        case Form::ra_imm: return ra + ", " + imm;
        case Form::imm5: return std::to_string(rd_of(opcode));
    }
    return {};
}

}  // namespace

std::string disassemble(std::uint32_t opcode, std::uint32_t address, std::int32_t prefix) {
    const Instruction* instruction = find_instruction(opcode);
    if (instruction == nullptr) return ".long " + hex(opcode);
    std::string text = std::string(instruction->mnemonic) + " " + operands(*instruction, opcode);
    const Form form = instruction->form;
    const std::uint32_t imm =
        prefix < 0 ? imm_of(opcode) : static_cast<std::uint32_t>(prefix) << 16 | (opcode & 0xFFFF);
    if (form == Form::relative || form == Form::rd_relative || form == Form::ra_relative)
        text += "  // " + hex(address + imm);
    else if (form == Form::imm || form == Form::rd_imm || (prefix >= 0 && takes_prefix(form)))
        text += "  // " + hex(imm);
    return text;
}

}  // namespace gapless::microblaze
