// What a soft processor did, instruction by instruction: a trace, and how often each was executed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "microblaze/cpu.hpp"

namespace gapless {

class ExecutionLog final : public microblaze::Observer {
public:
    enum class Keep { nothing, stores, accesses, everything };

    // Keeps the first `limit` of the records chosen and counts the rest; counts executions for `local_bytes` of
    // program.
    ExecutionLog(Keep keep, std::size_t limit, std::uint32_t local_bytes)
        : keep_(keep), limit_(limit), counts_(local_bytes / 4), cycles_(local_bytes / 4) {}

    void executed(const microblaze::Executed& instruction) override {
        const std::size_t word = instruction.pc / 4;
        if (word < counts_.size()) {
            ++counts_[word];
            if (last_ < cycles_.size()) cycles_[last_] += instruction.cycle - last_cycle_;
        }
        last_ = word;
        last_cycle_ = instruction.cycle;
        if (!wanted(instruction.access)) return;
        if (records_.size() < limit_)
            records_.push_back(instruction);
        else
            ++dropped_;
    }

    const std::vector<microblaze::Executed>& records() const { return records_; }
    std::uint64_t dropped() const { return dropped_; }
    const std::vector<std::uint64_t>& counts() const { return counts_; }
    // Spent by each instruction. A loop that is known to go on for ever is not executed, and not in it.
    const std::vector<std::uint64_t>& cycles() const { return cycles_; }
    // What passes until the next instruction is nobody's.
    void interrupted() { last_ = SIZE_MAX; }

private:
    bool wanted(microblaze::Executed::Access access) const {
        using Access = microblaze::Executed::Access;
        return keep_ == Keep::everything || (keep_ == Keep::accesses && access != Access::none) ||
               (keep_ == Keep::stores && access == Access::store);
    }

    const Keep keep_;
    const std::size_t limit_;
    std::vector<microblaze::Executed> records_;
    std::uint64_t dropped_ = 0;
    std::vector<std::uint64_t> counts_, cycles_;
    std::size_t last_ = SIZE_MAX;
    std::uint64_t last_cycle_ = 0;
};

}  // namespace gapless
