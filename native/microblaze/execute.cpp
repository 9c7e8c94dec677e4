// The interpreter: executes what is decoded already, and decodes what is not.
//
// Latencies are UG984's, "MicroBlaze Instruction Set Architecture", for C_AREA_OPTIMIZED = 0: one cycle, apart from
// taken branches (3, or 2 with a delay slot), mbar (2) and idiv (34, unless the divisor is 0).
#include <cstring>

#include "microblaze/arithmetic.hpp"
#include "microblaze/cpu.hpp"
#include "microblaze/status.hpp"

namespace gapless::microblaze {
namespace {

// Where an access goes. UG984 "lhu": a reversed one to the mirrored place in the word.
template <typename Value, bool reversed>
std::uint32_t place(std::uint32_t address) {
    return reversed && address % sizeof(Value) == 0 ? address ^ (4 - sizeof(Value)) : address;
}

template <typename Value>
void accessed(Executed& record, Executed::Access access, std::uint32_t address, Value value) {
    record.access = access;
    record.nbytes = sizeof(Value);
    record.address = address;
    record.value = value;
}

}  // namespace

template <bool traced>
void Cpu::execute(std::uint64_t until, Observer* observer) {
    // Each operation ends with a jump of its own to the next one's label, which the host predicts far better than one
    // jump for all: GCC's "Labels as Values".
    static const void* const labels[] = {
#define LABEL(name) &&on_##name,
        MICROBLAZE_OPERATIONS(LABEL)
#undef LABEL
    };
    std::uint32_t pc = at_.pc, next = at_.next, carry = at_.carry;
    std::uint64_t cycle = at_.cycle, instructions = at_.instructions, slot = at_.slot;
    const std::uint32_t outside = ~(nbytes_ - 1), not_local = outside | 3;
    Decoded* const decoded = decoded_.data();
    auto& r = registers_;
    const Decoded* op = nullptr;
    Decoded fused;
    std::uint32_t target = 0;
    Executed record{};


#define SAVE at_ = {pc, next, carry, cycle, instructions, slot}
// What the data bus did to it.
#define RESTORE          \
    do {                 \
        cycle = at_.cycle; \
        if (attention_) until = 0; \
    } while (false)
#define REPORT                                                                            \
    do {                                                                                  \
        if constexpr (traced) {                                                           \
            const bool writes = op->rd != discarded && record.access != Executed::Access::store; \
            record.result = writes ? r[op->rd] : 0;                                       \
            observer->executed(record);                                                   \
        }                                                                                 \
    } while (false)
// An instruction after `imm` is decoded with it, and not kept: a branch may lead to it alone.
#define FUSE                                                                              \
    do {                                                                                  \
        fused = with_prefix(decoded[pc / 4], pc);                                         \
        op = &fused;                                                                      \
        EXECUTE;                                                                          \
    } while (false)
#define EXECUTE                                                                           \
    do {                                                                                  \
        if constexpr (traced) record = {cycle, pc, word_at(pc), Executed::Access::none, 0, 0, 0, 0}; \
        goto* labels[static_cast<unsigned>(op->operation)];                               \
    } while (false)
#define GO_ON                                                                             \
    do {                                                                                  \
        if (cycle >= until || (pc & not_local) != 0) goto stop;                           \
        op = &decoded[pc / 4];                                                            \
        EXECUTE;                                                                          \
    } while (false)
#define NEXT                                                                              \
    do {                                                                                  \
        REPORT;                                                                         \
        ++cycle;                                                                          \
        ++instructions;                                                                   \
        pc = next;                                                                        \
        next += 4;                                                                        \
        GO_ON;                                                                            \
    } while (false)
// UG984, "Delay Slots": neither a branch nor an imm.
#define NOT_IN_SLOT \
    if (slot == instructions) goto misplaced
#define LANDED(backward)                                                                  \
    do {                                                                                  \
        if ((backward) && finder_.candidate(pc, r.data())) goto look_for_loop;            \
        GO_ON;                                                                            \
    } while (false)
#define JUMP                                                                              \
    do {                                                                                  \
        NOT_IN_SLOT;                                                                      \
        REPORT;                                                                         \
        const bool backward = target <= pc;                                               \
        cycle += 3;                                                                       \
        ++instructions;                                                                   \
        pc = target;                                                                      \
        next = target + 4;                                                                \
        LANDED(backward);                                                                 \
    } while (false)
#define JUMP_DELAYED                                                                      \
    do {                                                                                  \
        NOT_IN_SLOT;                                                                      \
        REPORT;                                                                         \
        const bool backward = target <= pc;                                               \
        cycle += 2;                                                                       \
        slot = ++instructions;                                                            \
        pc = next;                                                                        \
        next = target;                                                                    \
        LANDED(backward);                                                                 \
    } while (false)

    if (prefixed_ && (pc & not_local) == 0) {
        FUSE;
    }
    GO_ON;

#include "microblaze/instructions.inc"

on_imm:
    NOT_IN_SLOT;
    REPORT;
    prefix_ = op->imm;
    prefixed_ = true;
    ++cycle;
    ++instructions;
    pc = next;
    next += 4;
    if (cycle >= until || (pc & not_local) != 0) goto stop;
    FUSE;
on_undecoded:
    decoded[pc / 4] = decode_at(pc);
    GO_ON;
on_illegal:
    SAVE;
    raise(Fault::Kind::illegal_opcode, esr::illegal_opcode, pc);
    return;
misplaced:
    SAVE;
    raise(Fault::Kind::illegal_opcode, esr::illegal_opcode, pc, "a branch, break or imm in a delay slot");
    return;
look_for_loop:
    settled_ = finder_.recurs({pc, next, carry, msr_, reservation_}, r.data(), local_, cycle, instructions);
    if (!settled_) GO_ON;
stop:
    SAVE;
    if (cycle < until && !settled_) raise(Fault::Kind::instruction_bus, esr::instruction_bus, pc);
}

template void Cpu::execute<false>(std::uint64_t, Observer*);
template void Cpu::execute<true>(std::uint64_t, Observer*);

}  // namespace gapless::microblaze
