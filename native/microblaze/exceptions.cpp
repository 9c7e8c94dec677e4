// What takes it from its program: interrupts, exceptions and faults. Source: UG984, "Reset, Interrupts, Exceptions, and
// Break".
#include <cinttypes>
#include <cstdio>

#include "microblaze/cpu.hpp"
#include "microblaze/status.hpp"

namespace gapless::microblaze {
namespace {

// The latency of a taken branch: UG984 has no number of its own for these.
constexpr std::uint64_t vector_cycles = 3;

bool configured(Fault::Kind kind, const Config& config) {
    switch (kind) {
        case Fault::Kind::illegal_opcode: return config.illegal_opcode_exception;
        case Fault::Kind::unaligned: return config.unaligned_exceptions;
        case Fault::Kind::data_bus:
        case Fault::Kind::instruction_bus: return config.bus_exceptions;
        case Fault::Kind::refused: return false;
    }
    return false;
}

std::string hex(std::uint32_t value) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%08" PRIx32, value);
    return text;
}

}  // namespace

bool Cpu::interrupt_due() const {
    return interrupt_ && (msr_ & msr::interrupt_enable) != 0 &&
           (msr_ & (msr::break_in_progress | msr::exception_in_progress)) == 0;
}

// UG984, "Interrupts", Equivalent Pseudocode.
void Cpu::take_interrupt() {
    registers_[14] = at_.pc;
    msr_ &= ~msr::interrupt_enable;
    branch_to_vector(vector::interrupt);
}

void Cpu::branch_to_vector(std::uint32_t vector) {
    at_.pc = vector;
    at_.next = vector + 4;
    at_.slot = none;
    at_.cycle += vector_cycles;
    reservation_ = prefixed_ = false;
}

// UG984, "Hardware Exceptions", Equivalent Pseudocode.
bool Cpu::raise(Fault::Kind kind, std::uint32_t status, std::uint32_t address, const char* why) {
    if (!configured(kind, config_) || (msr_ & msr::exception_enable) == 0) return fail(kind, address, why);
    if (kind != Fault::Kind::illegal_opcode) ear_ = address;
    enter_exception(status);
    return false;
}

void Cpu::enter_exception(std::uint32_t status) {
    esr_ = status;
    if (in_slot()) {
        esr_ |= esr::delay_slot;
        btr_ = at_.next;
    }
    registers_[17] = at_.pc + 4;
    msr_ = (msr_ & ~msr::exception_enable) | msr::exception_in_progress;
    finder_.touched();
    branch_to_vector(vector::exception);
}

// UG984 "idiv": without the exception the result is defined, and DZO tells. True when the exception was taken.
bool Cpu::raise_divide(bool overflow) {
    msr_ |= msr::division_error;
    if (!config_.divide_exception || (msr_ & msr::exception_enable) == 0) return false;
    enter_exception(esr::divide | (overflow ? esr::divide_overflow : 0));
    return true;
}

bool Cpu::fail(Fault::Kind kind, std::uint32_t address, const char* why) {
    faulted_ = true;
    fault_ = Fault{kind, at_.pc, 0, address, {}};
    std::string& text = fault_.text;
    if (kind == Fault::Kind::instruction_bus) {
        text = "nothing to execute at PC " + hex(at_.pc) + ": local memory is 0 to " + hex(nbytes_ - 1);
        if ((at_.pc & 3) != 0) text = "PC " + hex(at_.pc) + " is no multiple of 4";
        return false;
    }
    fault_.opcode = word_at(at_.pc);
    switch (kind) {
        case Fault::Kind::illegal_opcode: {
            const char* unit = missing_unit(fault_.opcode, config_);
            text = why != nullptr ? why : "illegal opcode";
            if (unit != nullptr) text = std::string("needs ") + unit + ", which is off";
            break;
        }
        case Fault::Kind::unaligned: text = "unaligned access to " + hex(address); break;
        case Fault::Kind::data_bus: text = "no answer from " + hex(address); break;
        case Fault::Kind::refused: text = std::string(why) + " (address " + hex(address) + ")"; break;
        case Fault::Kind::instruction_bus: break;
    }
    const std::uint32_t before = at_.pc >= 4 ? word_at(at_.pc - 4) : 0;
    const bool prefixed = before >> 16 == 0xB000;
    text += ": PC " + hex(at_.pc) + ", opcode " + hex(fault_.opcode) + ", " +
            disassemble(fault_.opcode, at_.pc, prefixed ? static_cast<std::int32_t>(before & 0xFFFF) : -1);
    return false;
}

bool Cpu::outer_load(std::uint32_t address, unsigned nbytes, unsigned rd) {
    if ((address & (nbytes - 1)) != 0) return raise_unaligned(address, nbytes, rd, false);
    return answered(data_.load(address, nbytes, loaded_, at_.cycle), address);
}

bool Cpu::outer_store(std::uint32_t address, unsigned nbytes, unsigned rd, std::uint32_t value) {
    if ((address & (nbytes - 1)) != 0) return raise_unaligned(address, nbytes, rd, true);
    finder_.touched();
    return answered(data_.store(address, nbytes, value, at_.cycle), address);
}

bool Cpu::raise_unaligned(std::uint32_t address, unsigned nbytes, unsigned rd, bool store) {
    return raise(Fault::Kind::unaligned,
                 esr::unaligned | (nbytes == 4 ? esr::word : 0) | (store ? esr::store : 0) |
                     (rd % discarded) << esr::rx_shift,
                 address);
}

bool Cpu::answered(const Reply& reply, std::uint32_t address) {
    switch (reply.kind) {
        case Reply::Kind::okay: break;
        case Reply::Kind::error: return raise(Fault::Kind::data_bus, esr::data_bus, address);
        case Reply::Kind::refused: return fail(Fault::Kind::refused, address, data_.reason());
    }
    at_.cycle += reply.cycles > 1 ? reply.cycles - 1 : 0;  // one is the instruction's own
    if (!reply.steady || reply.yield) finder_.touched();
    if (reply.yield) attention_ = yielded_ = true;
    return true;
}

}  // namespace gapless::microblaze
