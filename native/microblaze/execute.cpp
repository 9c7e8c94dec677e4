// The interpreter: executes what is decoded already, and decodes what is not.
#include <cstring>

#include "microblaze/arithmetic.hpp"
#include "microblaze/cpu.hpp"
#include "microblaze/status.hpp"

// Whatever is not inlined into the interpreter forces its state out of the host's registers.
#define INLINE __attribute__((always_inline))

namespace gapless::microblaze {

// Latencies are UG984's, "MicroBlaze Instruction Set Architecture", for C_AREA_OPTIMIZED = 0: one cycle, apart from
// taken branches (3, or 2 with a delay slot), mbar (2) and idiv (34, unless the divisor is 0).
template <bool traced>
void Cpu::execute(std::uint64_t until, Observer* observer) {
    using O = Operation;
    // The hot part of the state, in registers of the host as far as they go.
    std::uint32_t pc = at_.pc, next = at_.next, carry = at_.carry;
    std::uint64_t cycle = at_.cycle, instructions = at_.instructions, slot = at_.slot;
    const std::uint32_t outside = ~(nbytes_ - 1), not_local = outside | 3;
    std::uint32_t* const r = registers_.data();
    const Decoded* op = nullptr;
    Decoded fused;
    std::uint32_t target = 0;
    bool backward = false;
    Executed record{};

    const auto save = [&]() INLINE { at_ = {pc, next, carry, cycle, instructions, slot}; };
    const auto restore = [&]() INLINE {
        pc = at_.pc;
        next = at_.next;
        carry = at_.carry;
        cycle = at_.cycle;
        slot = at_.slot;
        if (attention_) until = 0;
    };
    const auto accessed = [&](Executed::Access access, unsigned nbytes, std::uint32_t address, std::uint32_t value) INLINE {
        if constexpr (traced) {
            record.access = access;
            record.nbytes = static_cast<std::uint8_t>(nbytes);
            record.address = address;
            record.value = value;
        }
    };
    const auto report = [&]() INLINE {
        if constexpr (traced) {
            const bool writes = op->rd != discarded && record.access != Executed::Access::store;
            record.result = writes ? r[op->rd] : 0;
            observer->executed(record);
        }
    };
    // False: the instruction was not executed, and the state is saved.
    const auto load = [&](auto like, std::uint32_t address, bool reversed) INLINE {
        using Value = decltype(like);
        constexpr std::uint32_t size = sizeof(Value);
        Value value;
        if ((address & (outside | (size - 1))) == 0) {
            // UG984 "lhu": a reversed access goes to the mirrored place in the word.
            if (reversed) address ^= 4 - size;
            std::memcpy(&value, local_ + address, size);
        } else {
            if (reversed && (address & (size - 1)) == 0) address ^= 4 - size;
            std::uint32_t wide = 0;
            save();
            const bool done = outer_load(address, size, op->rd, wide);
            restore();
            if (!done) return false;
            value = static_cast<Value>(wide);
        }
        if (reversed) value = swapped(value);
        r[op->rd] = value;
        accessed(Executed::Access::load, size, address, value);
        return true;
    };
    const auto store = [&](auto like, std::uint32_t address, bool reversed) INLINE {
        using Value = decltype(like);
        constexpr std::uint32_t size = sizeof(Value);
        Value value = static_cast<Value>(r[op->rd]);
        if (reversed) value = swapped(value);
        accessed(Executed::Access::store, size, address ^ (reversed ? 4 - size : 0), value);
        if ((address & (outside | (size - 1))) == 0) {
            if (reversed) address ^= 4 - size;
            Value before;
            std::memcpy(&before, local_ + address, size);
            if (value != before) {
                finder_.changed(address & ~3u, word_at(address & ~3u));
                std::memcpy(local_ + address, &value, size);
                decoded_[address / 4].operation = O::undecoded;
            }
            return true;
        }
        if (reversed && (address & (size - 1)) == 0) address ^= 4 - size;
        save();
        const bool done = outer_store(address, size, op->rd, value);
        restore();
        return done;
    };
    const auto divide = [&](bool by_zero, bool overflow, auto quotient) INLINE {
        if (by_zero || overflow) {
            save();
            if (raise_divide(overflow)) return false;
            r[op->rd] = by_zero ? 0 : 0x8000'0000;
        } else {
            r[op->rd] = static_cast<std::uint32_t>(quotient());
        }
        if (!by_zero) cycle += 33;
        return true;
    };

    // An instruction after `imm` is decoded with it, and not kept: a branch may lead to it alone.
    const auto fuse = [&]() INLINE {
        prefixed_ = false;
        fused = decoded_[pc / 4].operation == O::undecoded ? decode_at(pc) : decoded_[pc / 4];
        if (takes_prefix(fused.operation)) fused.imm = prefix_ | (fused.imm & 0xFFFF);
        op = &fused;
    };

    if (prefixed_ && (pc & not_local) == 0) {
        fuse();
        goto dispatch;
    }
    while (cycle < until) {
        if ((pc & not_local) != 0) {
            save();
            raise(Fault::Kind::instruction_bus, esr::instruction_bus, pc);
            return;
        }
        op = &decoded_[pc / 4];
    dispatch:
        if constexpr (traced) record = {cycle, pc, word_at(pc), Executed::Access::none, 0, 0, 0, 0};
        switch (op->operation) {
// `b` is the second operand, of both forms.
#define BOTH(name, name_i, statement)               \
    case O::name: {                                 \
        const std::uint32_t a = r[op->ra], b = r[op->rb]; \
        statement;                                  \
        break;                                      \
    }                                               \
    case O::name_i: {                               \
        const std::uint32_t a = r[op->ra], b = op->imm; \
        statement;                                  \
        break;                                      \
    }
#define TO_RD(name, value)                          \
    case O::name: {                                 \
        const std::uint32_t a = r[op->ra], b = r[op->rb]; \
        r[op->rd] = value;                          \
        (void)a, (void)b;                           \
        break;                                      \
    }
            BOTH(add, addi, r[op->rd] = add_carry(a, b, 0, carry))
            BOTH(addc, addic, r[op->rd] = add_carry(a, b, carry, carry))
            BOTH(addk, addik, r[op->rd] = a + b)
            BOTH(addkc, addikc, r[op->rd] = a + b + carry)
            BOTH(rsub, rsubi, r[op->rd] = add_carry(b, ~a, 1, carry))
            BOTH(rsubc, rsubic, r[op->rd] = add_carry(b, ~a, carry, carry))
            BOTH(rsubk, rsubik, r[op->rd] = b - a)
            BOTH(rsubkc, rsubikc, r[op->rd] = b + ~a + carry)
            BOTH(or_, ori, r[op->rd] = a | b)
            BOTH(and_, andi, r[op->rd] = a & b)
            BOTH(xor_, xori, r[op->rd] = a ^ b)
            BOTH(andn, andni, r[op->rd] = a & ~b)
            BOTH(mul, muli, r[op->rd] = a * b)
            BOTH(bsll, bslli, r[op->rd] = a << (b & 31))
            BOTH(bsrl, bsrli, r[op->rd] = a >> (b & 31))
            BOTH(bsra, bsrai, r[op->rd] = shift_right_arithmetic(a, b))
            TO_RD(cmp, compared(a, b, as_signed(a) > as_signed(b)))
            TO_RD(cmpu, compared(a, b, a > b))
            TO_RD(mulh, high_product(a, b))
            TO_RD(mulhu, high_product_unsigned(a, b))
            TO_RD(mulhsu, high_product_mixed(a, b))
            TO_RD(bsefi, a >> op->rb & op->imm)
            TO_RD(bsifi, (r[op->rd] & ~op->imm) | (a << op->rb & op->imm))
            TO_RD(pcmpbf, first_equal_byte(a, b))
            TO_RD(pcmpeq, a == b ? 1 : 0)
            TO_RD(pcmpne, a != b ? 1 : 0)
            TO_RD(sext8, sign_extended(a, 0x80))
            TO_RD(sext16, sign_extended(a, 0x8000))
            TO_RD(clz, leading_zeros(a))
            TO_RD(swapb, swapped(a))
            TO_RD(swaph, a << 16 | a >> 16)

            case O::sra:
            case O::src:
            case O::srl: {
                const std::uint32_t a = r[op->ra];
                const std::uint32_t top =
                    op->operation == O::sra ? a & 0x8000'0000 : op->operation == O::src ? carry << 31 : 0;
                carry = a & 1;
                r[op->rd] = top | a >> 1;
                break;
            }
            case O::idiv: {
                const std::uint32_t a = r[op->ra], b = r[op->rb];
                if (!divide(a == 0, a == 0xFFFF'FFFF && b == 0x8000'0000,
                            [&] { return as_signed(b) / as_signed(a); }))
                    return;
                break;
            }
            case O::idivu: {
                const std::uint32_t a = r[op->ra], b = r[op->rb];
                if (!divide(a == 0, false, [&] { return b / a; })) return;
                break;
            }

            case O::mfs:
                r[op->rd] = special_value(op->imm, pc, carry);
                break;
            case O::mts:
                if (op->imm != special::msr) break;  // there is no stack protection and no floating point unit
                carry = (r[op->ra] & msr::carry) != 0 ? 1 : 0;
                write_msr(r[op->ra]);
                until = 0;
                break;
            case O::msrset:
            case O::msrclr: {
                const std::uint32_t before = special_value(special::msr, pc, carry);
                const std::uint32_t after = op->operation == O::msrset ? before | op->imm : before & ~op->imm;
                r[op->rd] = before;
                carry = (after & msr::carry) != 0 ? 1 : 0;
                write_msr(after);
                until = 0;
                break;
            }
            case O::mbar:
                // UG984 "mbar": sleep, hibernate and suspend.
                sleeping_ = (op->imm & 0x18) != 0;
                if (sleeping_) until = 0;
                cycle += 1;
                break;
            case O::cache:
                break;

#define LOAD(name, Type, to, reversed)                              \
    case O::name:                                                   \
        if (!load(Type{}, r[op->ra] + to, reversed)) return;        \
        break;
#define STORE(name, Type, to, reversed)                             \
    case O::name:                                                   \
        if (!store(Type{}, r[op->ra] + to, reversed)) return;       \
        break;
            LOAD(lbu, std::uint8_t, r[op->rb], false)
            LOAD(lhu, std::uint16_t, r[op->rb], false)
            LOAD(lw, std::uint32_t, r[op->rb], false)
            LOAD(lbur, std::uint8_t, r[op->rb], true)
            LOAD(lhur, std::uint16_t, r[op->rb], true)
            LOAD(lwr, std::uint32_t, r[op->rb], true)
            LOAD(lbui, std::uint8_t, op->imm, false)
            LOAD(lhui, std::uint16_t, op->imm, false)
            LOAD(lwi, std::uint32_t, op->imm, false)
            STORE(sb, std::uint8_t, r[op->rb], false)
            STORE(sh, std::uint16_t, r[op->rb], false)
            STORE(sw, std::uint32_t, r[op->rb], false)
            STORE(sbr, std::uint8_t, r[op->rb], true)
            STORE(shr, std::uint16_t, r[op->rb], true)
            STORE(swr, std::uint32_t, r[op->rb], true)
            STORE(sbi, std::uint8_t, op->imm, false)
            STORE(shi, std::uint16_t, op->imm, false)
            STORE(swi, std::uint32_t, op->imm, false)
            // UG984 "lwx", "swx": word aligned whatever the address; without AXI exclusive access there is only the
            // reservation bit.
            case O::lwx:
                if (!load(std::uint32_t{}, (r[op->ra] + r[op->rb]) & ~3u, false)) return;
                reservation_ = true;
                carry = 0;
                break;
            case O::swx:
                if (reservation_ && !store(std::uint32_t{}, (r[op->ra] + r[op->rb]) & ~3u, false)) return;
                carry = reservation_ ? 0 : 1;
                reservation_ = false;
                break;

#define CONDITION(name, to, test)                   \
    case O::name:                                   \
        target = pc + to;                           \
        if (as_signed(r[op->ra]) test 0) goto jump; \
        if (slot == instructions) goto misplaced;   \
        break;
#define CONDITION_DELAYED(name, to, test)                   \
    case O::name:                                           \
        target = pc + to;                                   \
        if (as_signed(r[op->ra]) test 0) goto jump_delayed; \
        if (slot == instructions) goto misplaced;           \
        slot = instructions + 1;                            \
        break;
#define CONDITIONS(name, test)                         \
    CONDITION(name, r[op->rb], test)                   \
    CONDITION(name##i, op->imm, test)                  \
    CONDITION_DELAYED(name##d, r[op->rb], test)        \
    CONDITION_DELAYED(name##id, op->imm, test)
            CONDITIONS(beq, ==)
            CONDITIONS(bne, !=)
            CONDITIONS(blt, <)
            CONDITIONS(ble, <=)
            CONDITIONS(bgt, >)
            CONDITIONS(bge, >=)
#define BRANCH(name, to, how) \
    case O::name:             \
        target = to;          \
        goto how;
#define BRANCH_LINK(name, to)  \
    case O::name:              \
        target = to;           \
        goto jump_linked;
            BRANCH(br, pc + r[op->rb], jump)
            BRANCH(bri, pc + op->imm, jump)
            BRANCH(bra, r[op->rb], jump)
            BRANCH(brai, op->imm, jump)
            BRANCH(brd, pc + r[op->rb], jump_delayed)
            BRANCH(brid, pc + op->imm, jump_delayed)
            BRANCH(brad, r[op->rb], jump_delayed)
            BRANCH(braid, op->imm, jump_delayed)
            BRANCH(brld, pc + r[op->rb], jump_linked)
            BRANCH(brlid, pc + op->imm, jump_linked)
            BRANCH(brald, r[op->rb], jump_linked)
            BRANCH(bralid, op->imm, jump_linked)
            BRANCH(rtsd, r[op->ra] + op->imm, jump_delayed)
            case O::rtid:
            case O::rtbd:
            case O::rted:
                if (slot == instructions) goto misplaced;
                target = r[op->ra] + op->imm;
                if (op->operation == O::rtid) msr_ |= msr::interrupt_enable;
                if (op->operation == O::rtbd) msr_ &= ~msr::break_in_progress;
                if (op->operation == O::rted)
                    msr_ = (msr_ | (config_.any_exception() ? msr::exception_enable : 0)) &
                           ~msr::exception_in_progress;
                until = 0;
                goto jump_delayed;
            // UG984 "brki": a branch to one of two vectors is a software break, which is not a break in progress.
            case O::brk:
            case O::brki:
                if (slot == instructions) goto misplaced;
                target = op->operation == O::brk ? r[op->rb] : op->imm;
                r[op->rd] = pc;
                if (op->operation == O::brk || (target != vector::user && target != vector::software_break))
                    msr_ |= msr::break_in_progress;
                reservation_ = false;
                goto jump;

            case O::imm:
                if (slot == instructions) goto misplaced;
                prefix_ = op->imm;
                report();
                ++cycle;
                ++instructions;
                pc = next;
                next += 4;
                prefixed_ = true;
                if (cycle >= until || (pc & not_local) != 0) continue;
                fuse();
                goto dispatch;

            case O::undecoded:
                decoded_[pc / 4] = decode_at(pc);
                continue;
            case O::illegal:
                save();
                raise(Fault::Kind::illegal_opcode, esr::illegal_opcode, pc);
                return;
        }
        report();
        ++cycle;
        ++instructions;
        pc = next;
        next += 4;
        continue;

    jump_linked:
        if (slot == instructions) goto misplaced;
        r[op->rd] = pc;
    jump_delayed:
        if (slot == instructions) goto misplaced;
        report();
        backward = target <= pc;
        cycle += 2;
        slot = ++instructions;
        pc = next;
        next = target;
        goto landed;
    jump:
        if (slot == instructions) goto misplaced;
        report();
        backward = target <= pc;
        cycle += 3;
        ++instructions;
        pc = target;
        next = target + 4;
    landed:
        if (backward && finder_.candidate(pc, r) &&
            finder_.recurs({pc, next, carry, msr_, reservation_}, r, local_, cycle, instructions)) {
            settled_ = true;
            break;
        }
        continue;
    misplaced:
        save();
        raise(Fault::Kind::illegal_opcode, esr::illegal_opcode, pc, "branch, break or imm in a delay slot");
        return;
    }
    save();
}

template void Cpu::execute<false>(std::uint64_t, Observer*);
template void Cpu::execute<true>(std::uint64_t, Observer*);

}  // namespace gapless::microblaze
