#include "microblaze/isa.hpp"

#include <array>

namespace gapless::microblaze {
namespace {

using O = Operation;
using F = Form;
using U = Unit;

// Which bits are given, by what is left for operands. Reserved bits are zero; an instruction with one set is illegal.
constexpr std::uint32_t type_b = 0xFC00'0000;         // rd, ra, imm
constexpr std::uint32_t type_a = 0xFC00'07FF;         // rd, ra, rb
constexpr std::uint32_t one_source = 0xFC00'FFFF;     // rd, ra
constexpr std::uint32_t shift_imm = 0xFC00'FFE0;      // rd, ra, imm5
constexpr std::uint32_t field_imm = 0xFC00'F820;      // rd, ra, width, shift
constexpr std::uint32_t no_rd = 0xFFE0'0000;          // ra, imm
constexpr std::uint32_t no_ra = 0xFC1F'0000;          // rd, imm
constexpr std::uint32_t only_imm = 0xFFFF'0000;       // imm
constexpr std::uint32_t no_rd_a = 0xFFE0'07FF;        // ra, rb
constexpr std::uint32_t no_ra_a = 0xFC1F'07FF;        // rd, rb
constexpr std::uint32_t only_rb = 0xFFFF'07FF;        // rb

constexpr Instruction table[] = {
    {"add", type_a, 0x0000'0000, O::add, F::rd_ra_rb},
    {"rsub", type_a, 0x0400'0000, O::rsub, F::rd_ra_rb},
    {"addc", type_a, 0x0800'0000, O::addc, F::rd_ra_rb},
    {"rsubc", type_a, 0x0C00'0000, O::rsubc, F::rd_ra_rb},
    {"addk", type_a, 0x1000'0000, O::addk, F::rd_ra_rb},
    {"rsubk", type_a, 0x1400'0000, O::rsubk, F::rd_ra_rb},
    {"cmp", type_a, 0x1400'0001, O::cmp, F::rd_ra_rb},
    {"cmpu", type_a, 0x1400'0003, O::cmpu, F::rd_ra_rb},
    {"addkc", type_a, 0x1800'0000, O::addkc, F::rd_ra_rb},
    {"rsubkc", type_a, 0x1C00'0000, O::rsubkc, F::rd_ra_rb},
    {"addi", type_b, 0x2000'0000, O::addi, F::rd_ra_imm},
    {"rsubi", type_b, 0x2400'0000, O::rsubi, F::rd_ra_imm},
    {"addic", type_b, 0x2800'0000, O::addic, F::rd_ra_imm},
    {"rsubic", type_b, 0x2C00'0000, O::rsubic, F::rd_ra_imm},
    {"addik", type_b, 0x3000'0000, O::addik, F::rd_ra_imm},
    {"rsubik", type_b, 0x3400'0000, O::rsubik, F::rd_ra_imm},
    {"addikc", type_b, 0x3800'0000, O::addikc, F::rd_ra_imm},
    {"rsubikc", type_b, 0x3C00'0000, O::rsubikc, F::rd_ra_imm},

    {"mul", type_a, 0x4000'0000, O::mul, F::rd_ra_rb, U::mul32},
    {"mulh", type_a, 0x4000'0001, O::mulh, F::rd_ra_rb, U::mul64},
    {"mulhsu", type_a, 0x4000'0002, O::mulhsu, F::rd_ra_rb, U::mul64},
    {"mulhu", type_a, 0x4000'0003, O::mulhu, F::rd_ra_rb, U::mul64},
    {"bsrl", type_a, 0x4400'0000, O::bsrl, F::rd_ra_rb, U::barrel_shifter},
    {"bsra", type_a, 0x4400'0200, O::bsra, F::rd_ra_rb, U::barrel_shifter},
    {"bsll", type_a, 0x4400'0400, O::bsll, F::rd_ra_rb, U::barrel_shifter},
    {"idiv", type_a, 0x4800'0000, O::idiv, F::rd_ra_rb, U::divider},
    {"idivu", type_a, 0x4800'0002, O::idivu, F::rd_ra_rb, U::divider},
    {"muli", type_b, 0x6000'0000, O::muli, F::rd_ra_imm, U::mul32},
    {"bsrli", shift_imm, 0x6400'0000, O::bsrli, F::rd_ra_shift, U::barrel_shifter},
    {"bsrai", shift_imm, 0x6400'0200, O::bsrai, F::rd_ra_shift, U::barrel_shifter},
    {"bslli", shift_imm, 0x6400'0400, O::bslli, F::rd_ra_shift, U::barrel_shifter},
    {"bsefi", field_imm, 0x6400'4000, O::bsefi, F::rd_ra_width_shift, U::barrel_shifter},
    {"bsifi", field_imm, 0x6400'8000, O::bsifi, F::rd_ra_width_shift, U::barrel_shifter},

    {"or", type_a, 0x8000'0000, O::or_, F::rd_ra_rb},
    {"and", type_a, 0x8400'0000, O::and_, F::rd_ra_rb},
    {"xor", type_a, 0x8800'0000, O::xor_, F::rd_ra_rb},
    {"andn", type_a, 0x8C00'0000, O::andn, F::rd_ra_rb},
    {"pcmpbf", type_a, 0x8000'0400, O::pcmpbf, F::rd_ra_rb, U::pattern_compare},
    {"pcmpeq", type_a, 0x8800'0400, O::pcmpeq, F::rd_ra_rb, U::pattern_compare},
    {"pcmpne", type_a, 0x8C00'0400, O::pcmpne, F::rd_ra_rb, U::pattern_compare},
    {"ori", type_b, 0xA000'0000, O::ori, F::rd_ra_imm},
    {"andi", type_b, 0xA400'0000, O::andi, F::rd_ra_imm},
    {"xori", type_b, 0xA800'0000, O::xori, F::rd_ra_imm},
    {"andni", type_b, 0xAC00'0000, O::andni, F::rd_ra_imm},

    {"sra", one_source, 0x9000'0001, O::sra, F::rd_ra},
    {"src", one_source, 0x9000'0021, O::src, F::rd_ra},
    {"srl", one_source, 0x9000'0041, O::srl, F::rd_ra},
    {"sext8", one_source, 0x9000'0060, O::sext8, F::rd_ra},
    {"sext16", one_source, 0x9000'0061, O::sext16, F::rd_ra},
    {"clz", one_source, 0x9000'00E0, O::clz, F::rd_ra, U::pattern_compare},
    {"swapb", one_source, 0x9000'01E0, O::swapb, F::rd_ra, U::reorder},
    {"swaph", one_source, 0x9000'01E2, O::swaph, F::rd_ra, U::reorder},
    // Without caches these do nothing.
    {"wdc", no_rd_a, 0x9000'0064, O::cache, F::ra_rb},
    {"wdc.clear", no_rd_a, 0x9000'0066, O::cache, F::ra_rb},
    {"wic", no_rd_a, 0x9000'0068, O::cache, F::ra_rb},
    {"wdc.flush", no_rd_a, 0x9000'0074, O::cache, F::ra_rb},
    {"mfs", 0xFC1F'C000, 0x9400'8000, O::mfs, F::rd_special},
    {"mts", 0xFFE0'C000, 0x9400'C000, O::mts, F::special_ra},
    {"msrset", 0xFC1F'8000, 0x9410'0000, O::msrset, F::rd_imm15, U::msr_instructions},
    {"msrclr", 0xFC1F'8000, 0x9411'0000, O::msrclr, F::rd_imm15, U::msr_instructions},

    {"br", only_rb, 0x9800'0000, O::br, F::rb},
    {"brd", only_rb, 0x9810'0000, O::brd, F::rb},
    {"brld", no_ra_a, 0x9814'0000, O::brld, F::rd_rb},
    {"bra", only_rb, 0x9808'0000, O::bra, F::rb},
    {"brad", only_rb, 0x9818'0000, O::brad, F::rb},
    {"brald", no_ra_a, 0x981C'0000, O::brald, F::rd_rb},
    {"brk", no_ra_a, 0x980C'0000, O::brk, F::rd_rb},
    {"bri", only_imm, 0xB800'0000, O::bri, F::relative},
    {"brid", only_imm, 0xB810'0000, O::brid, F::relative},
    {"brlid", no_ra, 0xB814'0000, O::brlid, F::rd_relative},
    {"brai", only_imm, 0xB808'0000, O::brai, F::imm},
    {"braid", only_imm, 0xB818'0000, O::braid, F::imm},
    {"bralid", no_ra, 0xB81C'0000, O::bralid, F::rd_imm},
    {"brki", no_ra, 0xB80C'0000, O::brki, F::rd_imm},
    {"mbar", 0xFC1F'FFFF, 0xB802'0004, O::mbar, F::imm5},
    {"beq", no_rd_a, 0x9C00'0000, O::beq, F::ra_rb},
    {"bne", no_rd_a, 0x9C20'0000, O::bne, F::ra_rb},
    {"blt", no_rd_a, 0x9C40'0000, O::blt, F::ra_rb},
    {"ble", no_rd_a, 0x9C60'0000, O::ble, F::ra_rb},
    {"bgt", no_rd_a, 0x9C80'0000, O::bgt, F::ra_rb},
    {"bge", no_rd_a, 0x9CA0'0000, O::bge, F::ra_rb},
    {"beqd", no_rd_a, 0x9E00'0000, O::beqd, F::ra_rb},
    {"bned", no_rd_a, 0x9E20'0000, O::bned, F::ra_rb},
    {"bltd", no_rd_a, 0x9E40'0000, O::bltd, F::ra_rb},
    {"bled", no_rd_a, 0x9E60'0000, O::bled, F::ra_rb},
    {"bgtd", no_rd_a, 0x9E80'0000, O::bgtd, F::ra_rb},
    {"bged", no_rd_a, 0x9EA0'0000, O::bged, F::ra_rb},
    {"beqi", no_rd, 0xBC00'0000, O::beqi, F::ra_relative},
    {"bnei", no_rd, 0xBC20'0000, O::bnei, F::ra_relative},
    {"blti", no_rd, 0xBC40'0000, O::blti, F::ra_relative},
    {"blei", no_rd, 0xBC60'0000, O::blei, F::ra_relative},
    {"bgti", no_rd, 0xBC80'0000, O::bgti, F::ra_relative},
    {"bgei", no_rd, 0xBCA0'0000, O::bgei, F::ra_relative},
    {"beqid", no_rd, 0xBE00'0000, O::beqid, F::ra_relative},
    {"bneid", no_rd, 0xBE20'0000, O::bneid, F::ra_relative},
    {"bltid", no_rd, 0xBE40'0000, O::bltid, F::ra_relative},
    {"bleid", no_rd, 0xBE60'0000, O::bleid, F::ra_relative},
    {"bgtid", no_rd, 0xBE80'0000, O::bgtid, F::ra_relative},
    {"bgeid", no_rd, 0xBEA0'0000, O::bgeid, F::ra_relative},
    {"imm", only_imm, 0xB000'0000, O::imm, F::prefix},
    {"rtsd", no_rd, 0xB600'0000, O::rtsd, F::ra_imm},
    {"rtid", no_rd, 0xB620'0000, O::rtid, F::ra_imm},
    {"rtbd", no_rd, 0xB640'0000, O::rtbd, F::ra_imm},
    {"rted", no_rd, 0xB680'0000, O::rted, F::ra_imm},

    {"lbu", type_a, 0xC000'0000, O::lbu, F::rd_ra_rb},
    {"lbur", type_a, 0xC000'0200, O::lbur, F::rd_ra_rb, U::reorder},
    {"lhu", type_a, 0xC400'0000, O::lhu, F::rd_ra_rb},
    {"lhur", type_a, 0xC400'0200, O::lhur, F::rd_ra_rb, U::reorder},
    {"lw", type_a, 0xC800'0000, O::lw, F::rd_ra_rb},
    {"lwr", type_a, 0xC800'0200, O::lwr, F::rd_ra_rb, U::reorder},
    {"lwx", type_a, 0xC800'0400, O::lwx, F::rd_ra_rb},
    {"sb", type_a, 0xD000'0000, O::sb, F::rd_ra_rb},
    {"sbr", type_a, 0xD000'0200, O::sbr, F::rd_ra_rb, U::reorder},
    {"sh", type_a, 0xD400'0000, O::sh, F::rd_ra_rb},
    {"shr", type_a, 0xD400'0200, O::shr, F::rd_ra_rb, U::reorder},
    {"sw", type_a, 0xD800'0000, O::sw, F::rd_ra_rb},
    {"swr", type_a, 0xD800'0200, O::swr, F::rd_ra_rb, U::reorder},
    {"swx", type_a, 0xD800'0400, O::swx, F::rd_ra_rb},
    {"lbui", type_b, 0xE000'0000, O::lbui, F::rd_ra_imm},
    {"lhui", type_b, 0xE400'0000, O::lhui, F::rd_ra_imm},
    {"lwi", type_b, 0xE800'0000, O::lwi, F::rd_ra_imm},
    {"sbi", type_b, 0xF000'0000, O::sbi, F::rd_ra_imm},
    {"shi", type_b, 0xF400'0000, O::shi, F::rd_ra_imm},
    {"swi", type_b, 0xF800'0000, O::swi, F::rd_ra_imm},
};

constexpr auto prefixable = [] {
    std::array<bool, static_cast<std::size_t>(O::undecoded) + 1> result{};
    for (const Instruction& instruction : table)
        result[static_cast<std::size_t>(instruction.operation)] = takes_prefix(instruction.form);
    return result;
}();

}  // namespace

bool takes_prefix(Operation operation) { return prefixable[static_cast<std::size_t>(operation)]; }

const Instruction* find_instruction(std::uint32_t opcode) {
    for (const Instruction& instruction : table) {
        if ((opcode & instruction.mask) != instruction.match) continue;
        // UG984 "bsi": a field wider than the register has no meaning.
        const unsigned width = width_field(opcode), shift = shift_of(opcode);
        if (instruction.operation == O::bsefi && (width == 0 || width + shift > 32)) return nullptr;
        if (instruction.operation == O::bsifi && width < shift) return nullptr;
        return &instruction;
    }
    return nullptr;
}

std::string_view special_register(std::uint32_t number) {
    constexpr std::array<std::string_view, 13> versions = {"pvr0", "pvr1", "pvr2", "pvr3", "pvr4",  "pvr5", "pvr6",
                                                           "pvr7", "pvr8", "pvr9", "pvr10", "pvr11", "pvr12"};
    if (number >= special::pvr && number - special::pvr < versions.size()) return versions[number - special::pvr];
    switch (number) {
        case special::pc: return "pc";
        case special::msr: return "msr";
        case special::ear: return "ear";
        case special::esr: return "esr";
        case special::fsr: return "fsr";
        case special::btr: return "btr";
        case special::edr: return "edr";
        case special::slr: return "slr";
        case special::shr: return "shr";
        default: return {};
    }
}

}  // namespace gapless::microblaze
