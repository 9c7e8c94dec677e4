#include "microblaze/cpu.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "microblaze/status.hpp"

namespace gapless::microblaze {
namespace {

// UG984, "Machine Status Register": bits of what was not built in read zero. There are no caches, no streams and no
// version registers.
std::uint32_t writable_status(const Config& config) {
    return msr::interrupt_enable | msr::break_in_progress | (config.divider ? msr::division_error : 0) |
           (config.any_exception() ? msr::exception_enable | msr::exception_in_progress : 0);
}

}  // namespace

Cpu::Cpu(Config config, std::uint8_t* local, std::uint32_t nbytes, DataBus& data)
    : config_(config), local_(local), nbytes_(nbytes), data_(data), decoded_(nbytes / 4) {
    if (nbytes < 64 || (nbytes & (nbytes - 1)) != 0)
        throw std::invalid_argument("local memory is a power of two of bytes, at least 64");
}

void Cpu::reset() {
    Progress start;
    start.cycle = at_.cycle;
    start.instructions = at_.instructions;
    at_ = start;
    registers_.fill(0);
    msr_ = esr_ = ear_ = btr_ = 0;
    prefixed_ = reservation_ = sleeping_ = faulted_ = false;
    wake();
}

Stop Cpu::run(std::uint64_t until, Observer* observer) {
    if (faulted_) return Stop::fault;
    yielded_ = false;
    while (at_.cycle < until) {
        if (sleeping_ && !settled_) {
            // UG984, "Sleep and Pause Functionality": the wake-up input is wired to the interrupt line.
            sleeping_ = !interrupt_;
            settled_ = sleeping_;
        }
        if (settled_) {
            if (sleeping_ || until - at_.cycle >= finder_.period_cycles()) return Stop::settled;
            settled_ = false;
        }
        std::uint64_t limit = until;
        if (interrupt_due()) {
            // UG984, "Interrupts": not between an imm and its successor, nor before a delay slot.
            if (!prefixed_ && !in_slot()) {
                take_interrupt();
                continue;
            }
            limit = at_.cycle + 1;
        }
        attention_ = false;
        if (observer == nullptr)
            execute<false>(limit, nullptr);
        else
            execute<true>(limit, observer);
        if (faulted_) return Stop::fault;
        if (settled_) return Stop::settled;
        if (yielded_) return Stop::yielded;
    }
    return Stop::limit;
}

void Cpu::pass(std::uint64_t cycle) {
    if (!settled_ || cycle <= at_.cycle) return;
    if (sleeping_) {
        at_.cycle = cycle;
        return;
    }
    const std::uint64_t rounds = (cycle - at_.cycle) / finder_.period_cycles();
    at_.cycle += rounds * finder_.period_cycles();
    at_.instructions += rounds * finder_.period_instructions();
    if (at_.slot != none) at_.slot += rounds * finder_.period_instructions();
    finder_.at(at_.cycle, at_.instructions);
}

void Cpu::delay(std::uint64_t cycle) {
    at_.cycle = std::max(at_.cycle, cycle);
    finder_.forget();
}

void Cpu::wake() {
    settled_ = false;
    finder_.forget();
}

void Cpu::set_interrupt(bool level) {
    if (level == interrupt_) return;
    interrupt_ = level;
    attention_ = true;
    wake();
}

void Cpu::local_written(std::uint32_t address, std::uint32_t nbytes) {
    if (nbytes != 0 && address < nbytes_) {
        const std::uint32_t last = address + std::min(nbytes, nbytes_ - address) - 1;
        std::fill(decoded_.begin() + address / 4, decoded_.begin() + last / 4 + 1, Decoded{});
    }
    wake();
}

std::uint32_t Cpu::word_at(std::uint32_t address) const {
    std::uint32_t word;
    std::memcpy(&word, local_ + address, sizeof word);
    return word;
}
Decoded Cpu::decode_at(std::uint32_t address) const { return decode(word_at(address), config_); }
Decoded Cpu::with_prefix(Decoded decoded, std::uint32_t address) {
    prefixed_ = false;
    if (decoded.operation == Operation::undecoded) decoded = decode_at(address);
    if (takes_prefix(decoded.operation)) decoded.imm = prefix_ | (decoded.imm & 0xFFFF);
    return decoded;
}

// UG984 "mfs". Without what they belong to, SLR, SHR, FSR, EDR and the version registers read zero.
std::uint32_t Cpu::special_value(std::uint32_t number, std::uint32_t pc, std::uint32_t carry) const {
    switch (number) {
        case special::pc: return pc;
        case special::msr: return msr_ | (carry != 0 ? msr::carry | msr::carry_copy : 0);
        case special::ear: return ear_;
        case special::esr: return esr_;
        case special::btr: return btr_;
        default: return 0;
    }
}

std::uint32_t Cpu::msr() const { return special_value(special::msr, at_.pc, at_.carry); }

void Cpu::write_msr(std::uint32_t value) { msr_ = value & writable_status(config_); }

std::array<std::uint32_t, 32> Cpu::registers() const {
    std::array<std::uint32_t, 32> copy;
    std::copy_n(registers_.begin(), copy.size(), copy.begin());
    return copy;
}

void Cpu::set_pc(std::uint32_t pc) {
    at_.pc = pc;
    at_.next = pc + 4;
    at_.slot = none;
    prefixed_ = sleeping_ = false;
    wake();
}
void Cpu::set_msr(std::uint32_t value) {
    write_msr(value);
    at_.carry = (value & msr::carry) != 0 ? 1 : 0;
    attention_ = true;
    wake();
}
void Cpu::set_register(unsigned number, std::uint32_t value) {
    if (number != 0 && number < discarded) registers_[number] = value;
    wake();
}

}  // namespace gapless::microblaze
