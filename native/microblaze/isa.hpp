// The instruction set, as one table that decoding and disassembly read. Source: UG984, "MicroBlaze Instruction Set
// Architecture" (encodings, latencies) and "Instruction Summary"; the encodings agree with GNU binutils' opcode table.
#pragma once

#include <cstdint>
#include <string_view>

namespace gapless::microblaze {

// One for each way to execute; the names are the mnemonics, apart from C++'s own words.
enum class Operation : std::uint8_t {
    add, addc, addk, addkc, addi, addic, addik, addikc,
    rsub, rsubc, rsubk, rsubkc, rsubi, rsubic, rsubik, rsubikc,
    cmp, cmpu, mul, mulh, mulhu, mulhsu, muli, idiv, idivu,
    bsll, bsra, bsrl, bslli, bsrai, bsrli, bsefi, bsifi,
    or_, and_, xor_, andn, ori, andi, xori, andni, pcmpbf, pcmpeq, pcmpne,
    sra, src, srl, sext8, sext16, clz, swapb, swaph, cache, mts, mfs, msrset, msrclr,
    br, brd, brld, bra, brad, brald, brk, bri, brid, brlid, brai, braid, bralid, brki, mbar,
    beq, bne, blt, ble, bgt, bge, beqd, bned, bltd, bled, bgtd, bged,
    beqi, bnei, blti, blei, bgti, bgei, beqid, bneid, bltid, bleid, bgtid, bgeid,
    imm, rtsd, rtid, rtbd, rted,
    lbu, lbur, lhu, lhur, lw, lwr, lwx, lbui, lhui, lwi,
    sb, sbr, sh, shr, sw, swr, swx, sbi, shi, swi,
    illegal, undecoded,  // not in the table
};

// Which operands an instruction has, in the order in which they are written.
enum class Form : std::uint8_t {
    rd_ra_rb, rd_ra_imm, rd_ra_shift, rd_ra_width_shift, rd_ra,
    rd_imm15, rd_special, special_ra, ra_rb,
    rb, rd_rb, imm, rd_imm,              // branches: an immediate is the target itself,
    relative, rd_relative, ra_relative,  // or counts from the instruction
    ra_imm, imm5, prefix,
};

// What an instruction needs of the Config.
enum class Unit : std::uint8_t {
    base, mul32, mul64, barrel_shifter, divider, pattern_compare, msr_instructions, reorder,
};

struct Instruction {
    std::string_view mnemonic;
    std::uint32_t mask, match;  // it is this one when (opcode & mask) == match
    Operation operation;
    Form form;
    Unit unit = Unit::base;
};

// nullptr when there is none.
const Instruction* find_instruction(std::uint32_t opcode);

// A special purpose register by the number in mfs and mts, UG984 "mfs": without the "r" before it. Empty when there is
// none, or none without a memory management unit.
std::string_view special_register(std::uint32_t number);

namespace special {
constexpr std::uint32_t pc = 0, msr = 1, ear = 3, esr = 5, fsr = 7, btr = 0xB, edr = 0xD, slr = 0x800, shr = 0x802,
                        pvr = 0x2000;
}

// Whether the 16-bit immediate is the low half of 32 bits after an `imm`; UG984 "imm".
constexpr bool takes_prefix(Form form) {
    return form == Form::rd_ra_imm || form == Form::imm || form == Form::rd_imm || form == Form::relative ||
           form == Form::rd_relative || form == Form::ra_relative || form == Form::ra_imm;
}
bool takes_prefix(Operation operation);

// The fields of an instruction, UG984 "Instruction Summary".
constexpr unsigned rd_of(std::uint32_t opcode) { return opcode >> 21 & 31; }
constexpr unsigned ra_of(std::uint32_t opcode) { return opcode >> 16 & 31; }
constexpr unsigned rb_of(std::uint32_t opcode) { return opcode >> 11 & 31; }
constexpr std::uint32_t imm_of(std::uint32_t opcode) {  // sign-extended
    return ((opcode & 0xFFFF) ^ 0x8000) - 0x8000;
}
constexpr unsigned width_field(std::uint32_t opcode) { return opcode >> 6 & 31; }  // of bsefi and bsifi
constexpr unsigned shift_of(std::uint32_t opcode) { return opcode & 31; }

}  // namespace gapless::microblaze
