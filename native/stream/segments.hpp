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
// `done` of them are behind us. Each is a packet of its own, or all of them together are one.
struct Plan {
    std::vector<Segment> pass;
    std::uint64_t repeat = 1;
    std::vector<Segment> rest;
    bool one_packet = false;
    std::uint64_t done = 0;

    std::uint64_t size() const { return total() - done; }
    const Segment& at(std::uint64_t index) const {
        index += done;
        const std::uint64_t repeated = pass.size() * repeat;
        return index < repeated ? pass[index % pass.size()] : rest[index - repeated];
    }
    bool starts_packet(std::uint64_t index) const { return !one_packet || index + done == 0; }
    bool ends_packet(std::uint64_t index) const { return !one_packet || index + done + 1 == total(); }
    Plan after(std::uint64_t pieces) const {
        Plan plan = *this;
        plan.done = done + std::min(pieces, size());
        return plan;
    }

private:
    std::uint64_t total() const { return pass.size() * repeat + rest.size(); }
};

}  // namespace gapless
