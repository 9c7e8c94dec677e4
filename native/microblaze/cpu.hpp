// A MicroBlaze without MMU and caches, little-endian, that executes from its local memory. Source: UG984.
//
// Time is in cycles: each instruction takes the latency that UG984 gives for the five-stage pipeline without branch
// target cache (C_AREA_OPTIMIZED = 0); stalls that come of data hazards are not counted.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "microblaze/config.hpp"
#include "microblaze/data_bus.hpp"
#include "microblaze/decode.hpp"
#include "microblaze/loop_finder.hpp"

namespace gapless::microblaze {

enum class Stop {
    limit,    // the cycle given was reached
    settled,  // it goes round a loop that nothing in itself will ever end, or sleeps, or is halted for good
    yielded,  // the data bus asked for it
    fault,    // it cannot go on: see fault(); only reset() helps
};

struct Fault {
    enum class Kind { illegal_opcode, unaligned, data_bus, instruction_bus, refused };
    Kind kind = Kind::illegal_opcode;
    std::uint32_t pc = 0, opcode = 0, address = 0;
    std::string text;  // one line: what happened, PC, opcode, its disassembly
};

// What one instruction did.
struct Executed {
    enum class Access : std::uint8_t { none, load, store };
    std::uint64_t cycle;  // at which it began
    std::uint32_t pc, opcode;
    Access access;
    std::uint8_t nbytes;
    std::uint32_t address, value;  // of the access
    std::uint32_t result;          // what is in rd now, where it wrote one
};

class Observer {
public:
    virtual ~Observer() = default;
    virtual void executed(const Executed& instruction) = 0;
};

// Memory behind the data bus in which an access does nothing but what memory does.
struct Plain {
    std::uint32_t first = 0, nbytes = 0;  // multiples of 4
    std::uint8_t* data = nullptr;
    std::uint32_t cycles = 1;  // what an access takes, in all
};

// Not thread safe; the data bus may call set_interrupt(), local_written(), set_plain() and wake() from inside an access.
class Cpu {
public:
    // `local` is `nbytes` of memory at address 0 of both instruction and data side (LMB), a power of two.
    // Throws std::invalid_argument for another size.
    Cpu(Config config, std::uint8_t* local, std::uint32_t nbytes, DataBus& data);

    // Memory keeps what it has; registers are 0 as well, so that the same program runs the same twice. cycle() and
    // instructions() go on.
    void reset();
    // From the present cycle to `until`, or to what stops it before. An observer costs speed. It is settled only while
    // a whole round of its loop fits before `until`; what is left of one is executed.
    Stop run(std::uint64_t until, Observer* observer = nullptr);

    std::uint64_t cycle() const { return at_.cycle; }
    std::uint64_t instructions() const { return at_.instructions; }
    // After Stop::settled, when nothing happened meanwhile: as if it had gone round until the last time that its
    // loop begins at or before `cycle`. run(cycle) then executes the rest, so that what comes later finds it where
    // it would be.
    void pass(std::uint64_t cycle);
    // When it starts later: nothing is executed until `cycle`.
    void delay(std::uint64_t cycle);

    void set_interrupt(bool level);
    bool interrupt() const { return interrupt_; }
    // Somebody else wrote local memory: what was decoded of it is stale.
    void local_written(std::uint32_t address, std::uint32_t nbytes);
    // Something else changed that it can load: what looked settled may not be.
    void wake();
    // Accesses there do not ask the data bus any more, until another one is set.
    void set_plain(const Plain& plain) { plain_ = plain; }
    // Whether it loaded from there since this was asked.
    bool take_plain_loaded() { return std::exchange(plain_loaded_, false); }

    const Fault& fault() const { return fault_; }  // after Stop::fault
    bool faulted() const { return faulted_; }
    std::uint32_t pc() const { return at_.pc; }
    std::uint32_t msr() const;
    std::uint32_t esr() const { return esr_; }
    std::uint32_t ear() const { return ear_; }
    std::uint32_t btr() const { return btr_; }
    std::array<std::uint32_t, 32> registers() const;

    // For a debugger, between instructions.
    void set_pc(std::uint32_t pc);
    void set_msr(std::uint32_t value);
    void set_register(unsigned number, std::uint32_t value);

private:
    // How far it is; the interpreter keeps it in registers of its own.
    struct Progress {
        std::uint32_t pc = 0, next = 4;  // of the instruction to execute and of the one after it
        std::uint32_t carry = 0;
        std::uint64_t cycle = 0, instructions = 0;
        std::uint64_t slot = none;  // the instruction, by its number, that is in a delay slot
    };
    static constexpr std::uint64_t none = ~std::uint64_t{0};

    template <bool traced>
    void execute(std::uint64_t until, Observer* observer);
    Decoded decode_at(std::uint32_t address) const;
    Decoded with_prefix(Decoded decoded, std::uint32_t address);
    std::uint32_t word_at(std::uint32_t address) const;
    bool in_slot() const { return at_.slot == at_.instructions; }

    std::uint32_t special_value(std::uint32_t number, std::uint32_t pc, std::uint32_t carry) const;
    void write_msr(std::uint32_t value);  // apart from the carry
    bool interrupt_due() const;
    void take_interrupt();
    void branch_to_vector(std::uint32_t vector);
    // These leave it at the exception's handler, or faulted. False, always: the instruction was not executed.
    bool raise(Fault::Kind kind, std::uint32_t status, std::uint32_t address, const char* why = nullptr);
    bool raise_unaligned(std::uint32_t address, unsigned nbytes, unsigned rd, bool store);
    bool fail(Fault::Kind kind, std::uint32_t address, const char* why);
    bool raise_divide(bool overflow);  // whether the exception was taken
    void enter_exception(std::uint32_t status);

    // An access that local memory does not serve. False when the instruction was not executed.
    bool outer_load(std::uint32_t address, unsigned nbytes, unsigned rd);  // to loaded_
    bool outer_store(std::uint32_t address, unsigned nbytes, unsigned rd, std::uint32_t value);
    bool answered(const Reply& reply, std::uint32_t address);

    const Config config_;
    std::uint8_t* const local_;
    const std::uint32_t nbytes_;
    DataBus& data_;
    std::vector<Decoded> decoded_;  // of each word of local memory
    std::array<std::uint32_t, discarded + 1> registers_{};
    Progress at_;
    std::uint32_t msr_ = 0;  // without the carry
    std::uint32_t esr_ = 0, ear_ = 0, btr_ = 0;
    std::uint32_t loaded_ = 0;
    Plain plain_;
    bool plain_loaded_ = false;
    std::uint32_t prefix_ = 0;  // of an `imm` just executed
    bool prefixed_ = false;
    bool reservation_ = false;
    bool interrupt_ = false, sleeping_ = false, settled_ = false, yielded_ = false, faulted_ = false;
    bool attention_ = false;  // interrupts or the limit are to be looked at before the next instruction
    LoopFinder finder_;
    Fault fault_;
};

// One instruction as GNU objdump writes it, with a branch's target; `prefix` is the 16 bits of an `imm` before it, or
// -1.
std::string disassemble(std::uint32_t opcode, std::uint32_t address, std::int32_t prefix = -1);

}  // namespace gapless::microblaze
