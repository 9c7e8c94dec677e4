#include "microblaze/loop_finder.hpp"

#include <algorithm>
#include <cstring>

namespace gapless::microblaze {

bool LoopFinder::recurs(const State& now, const std::uint32_t* registers, const std::uint8_t* memory,
                        std::uint64_t cycle, std::uint64_t instructions) {
    if (now.pc == kept_.pc && !lost_ && same(now, registers, memory)) {
        period_cycles_ = cycle - cycle_;
        period_instructions_ = instructions - instructions_;
        life_ = left_ = shortest;
    } else if (left_ != 0) {
        return false;
    } else {
        life_ = lost_ ? shortest : life_ * 2;
        left_ = life_;
        kept_ = now;
        std::copy_n(registers, registers_.size(), registers_.begin());
        period_cycles_ = 0;
    }
    at(cycle, instructions);
    clear();
    return period_cycles_ != 0;
}

bool LoopFinder::same(const State& now, const std::uint32_t* registers, const std::uint8_t* memory) {
    const auto ours = std::mismatch(registers_.begin(), registers_.end(), registers).first;
    if (ours != registers_.end()) {
        differs_ = static_cast<unsigned>(ours - registers_.begin());  // likely the next time, too
        return false;
    }
    if (now.next != kept_.next || now.carry != kept_.carry || now.msr != kept_.msr ||
        now.reservation != kept_.reservation)
        return false;
    const auto end = changes_.begin() + count_;
    return std::all_of(changes_.begin(), end, [&](const Change& change) {
        const auto first =
            std::find_if(changes_.begin(), end, [&](const Change& other) { return other.address == change.address; });
        std::uint32_t value;
        std::memcpy(&value, memory + change.address, sizeof value);
        return value == first->before;
    });
}

}  // namespace gapless::microblaze
