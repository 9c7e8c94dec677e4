// Finds that a program goes round a loop which nothing in itself will ever end: it comes back to a state in which it
// was, and has met nothing but itself between.
//
// Brent's scheme: keep one state, compare with it at every backward branch, and keep a later one after twice as many
// branches, so that any loop is found within about three times as many branches as led to it and as it has.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace gapless::microblaze {

// What decides what is executed next, apart from registers and memory.
struct State {
    std::uint32_t pc = 1, next = 1;  // of the instruction to execute and of the one after it; odd: none
    std::uint32_t carry = 0, msr = 0;
    bool reservation = false;
};

class LoopFinder {
public:
    // What is outside did something, or may have: nothing that was seen before counts.
    void forget() {
        kept_.pc = 1;
        life_ = left_ = shortest;
        clear();
    }
    // The program did something that others see, or saw something that may change.
    void touched() { lost_ = true; }
    // The word at `address` of local memory was `before` and is different now. A loop may change a word and set it
    // back (two calls from different places, on one stack).
    void changed(std::uint32_t address, std::uint32_t before) {
        if (count_ == changes_.size()) lost_ = true;
        if (lost_) return;
        changes_[count_++] = {address, before};
    }

    // At a backward branch, after which `pc` is executed next. True when the rest of the state is worth a look.
    bool candidate(std::uint32_t pc, const std::uint32_t* registers) {
        return --left_ == 0 || (pc == kept_.pc && !lost_ && registers[differs_] == registers_[differs_]);
    }
    // Then: true when the state recurs.
    bool recurs(const State& now, const std::uint32_t* registers, const std::uint8_t* memory, std::uint64_t cycle,
                std::uint64_t instructions);

    // The state kept is that of this time, too.
    void at(std::uint64_t cycle, std::uint64_t instructions) {
        cycle_ = cycle;
        instructions_ = instructions;
    }
    std::uint64_t period_cycles() const { return period_cycles_; }
    std::uint64_t period_instructions() const { return period_instructions_; }

private:
    // After something was touched the next state is kept soon: waiting may begin here.
    static constexpr std::uint64_t shortest = 8;
    struct Change {
        std::uint32_t address, before;
    };

    void clear() {
        count_ = 0;
        lost_ = false;
    }
    bool same(const State& now, const std::uint32_t* registers, const std::uint8_t* memory);

    State kept_;
    std::array<std::uint32_t, 32> registers_{};
    std::uint64_t cycle_ = 0, instructions_ = 0, period_cycles_ = 1, period_instructions_ = 0;
    std::uint64_t life_ = shortest, left_ = shortest;
    unsigned differs_ = 0;
    bool lost_ = false;
    std::size_t count_ = 0;
    std::array<Change, 16> changes_{};
};

}  // namespace gapless::microblaze
