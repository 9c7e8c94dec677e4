// What is to be moved, piece by piece.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace gapless {

struct Segment {
    std::uint64_t address;
    std::uint32_t length;
};

// The pieces of one pass over the signal, repeated, and then what is left of a last pass. The first
// `done` of them are behind us.
struct Plan {
    std::vector<Segment> pass;
    std::uint64_t repeat = 1;
    std::vector<Segment> rest;
    std::uint64_t done = 0;

    std::uint64_t size() const { return pass.size() * repeat + rest.size() - done; }
    const Segment& at(std::uint64_t index) const {
        index += done;
        const std::uint64_t repeated = pass.size() * repeat;
        return index < repeated ? pass[index % pass.size()] : rest[index - repeated];
    }
    Plan after(std::uint64_t pieces) const {
        Plan plan = *this;
        plan.done = done + std::min(pieces, size());
        return plan;
    }
};

}  // namespace gapless
