// A MicroBlaze without MMU and caches, little-endian, that executes from its local memory. Source: UG984.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "microblaze/config.hpp"
#include "microblaze/data_bus.hpp"

namespace gapless::microblaze {

enum class Stop {
    limit,    // the cycle given was reached
    settled,  // it goes round a loop that nothing in itself will ever end, or sleeps, or is halted for good
    yielded,  // the data bus asked for it
    fault,    // it cannot go on: see fault(); only reset() helps
};

struct Fault {
    enum class Kind { illegal_opcode, unaligned, data_bus, instruction_bus, divide, refused };
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

class Cpu {
public:
    // `local` is `nbytes` of memory at address 0 of both instruction and data side (LMB), a power of two.
    Cpu(Config config, std::uint8_t* local, std::uint32_t nbytes, DataBus& data);

    // Memory keeps what it has; registers are 0 as well, so that the same program runs the same twice.
    void reset();
    // From the present cycle to `until`, or to what stops it before. An observer costs speed.
    Stop run(std::uint64_t until, Observer* observer = nullptr);

    std::uint64_t cycle() const;
    std::uint64_t instructions() const;
    // After Stop::settled, when nothing happened meanwhile: as if it had gone round until the last time that its
    // loop begins at or before `cycle`. Interrupts and writes that come later find it where it would be.
    void pass(std::uint64_t cycle);
    // When it starts later: nothing is executed until `cycle`.
    void delay(std::uint64_t cycle);

    void set_interrupt(bool level);
    // Somebody else wrote local memory: what was decoded of it is stale.
    void local_written(std::uint32_t address, std::uint32_t nbytes);

    const Fault& fault() const;
    std::uint32_t pc() const;
    std::uint32_t msr() const;
    const std::array<std::uint32_t, 32>& registers() const;
};

// One instruction as GNU objdump writes it; `prefix` is the 16 bits of an `imm` before it, or -1.
std::string disassemble(std::uint32_t opcode, std::uint32_t address, std::int32_t prefix = -1);

}  // namespace gapless::microblaze
