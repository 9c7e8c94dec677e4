// The instruction set, as one table that decoding and disassembly read. Source: UG984, "MicroBlaze Instruction Set
// Architecture" (encodings, latencies) and "Instruction Summary"; the encodings agree with GNU binutils' opcode table.
#pragma once

#include <cstdint>
#include <string_view>

namespace gapless::microblaze {

// One for each way to execute, under its mnemonic (apart from C++'s own words); the last two are in no table.
#define MICROBLAZE_OPERATIONS(X) \
    X(add) X(addc) X(addk) X(addkc) X(addi) X(addic) X(addik) X(addikc) X(rsub) X(rsubc) X(rsubk) X(rsubkc) X(rsubi) \
    X(rsubic) X(rsubik) X(rsubikc) X(cmp) X(cmpu) X(mul) X(mulh) X(mulhu) X(mulhsu) X(muli) X(idiv) X(idivu) X(bsll) \
    X(bsra) X(bsrl) X(bslli) X(bsrai) X(bsrli) X(bsefi) X(bsifi) X(or_) X(and_) X(xor_) X(andn) X(ori) X(andi) \
    X(xori) X(andni) X(pcmpbf) X(pcmpeq) X(pcmpne) X(sra) X(src) X(srl) X(sext8) X(sext16) X(clz) X(swapb) X(swaph) \
    X(cache) X(mts) X(mfs) X(msrset) X(msrclr) X(br) X(brd) X(brld) X(bra) X(brad) X(brald) X(brk) X(bri) X(brid) \
    X(brlid) X(brai) X(braid) X(bralid) X(brki) X(mbar) X(beq) X(bne) X(blt) X(ble) X(bgt) X(bge) X(beqd) X(bned) \
    X(bltd) X(bled) X(bgtd) X(bged) X(beqi) X(bnei) X(blti) X(blei) X(bgti) X(bgei) X(beqid) X(bneid) X(bltid) \
    X(bleid) X(bgtid) X(bgeid) X(imm) X(rtsd) X(rtid) X(rtbd) X(rted) X(lbu) X(lbur) X(lhu) X(lhur) X(lw) X(lwr) \
    X(lwx) X(lbui) X(lhui) X(lwi) X(sb) X(sbr) X(sh) X(shr) X(sw) X(swr) X(swx) X(sbi) X(shi) X(swi) X(illegal) \
    X(undecoded)

enum class Operation : std::uint8_t {
#define MICROBLAZE_ENUMERATOR(name) name,
    MICROBLAZE_OPERATIONS(MICROBLAZE_ENUMERATOR)
#undef MICROBLAZE_ENUMERATOR
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
