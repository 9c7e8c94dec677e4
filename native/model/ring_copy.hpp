// Copies into and out of a byte ring; positions run on for ever and are taken modulo its size.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace gapless {

inline void copy_in(std::vector<std::uint8_t>& ring, std::uint64_t position, const std::uint8_t* from, std::size_t nbytes) {
    const std::size_t at = position % ring.size();
    const std::size_t head = std::min(nbytes, ring.size() - at);
    std::memcpy(&ring[at], from, head);
    std::memcpy(ring.data(), from + head, nbytes - head);
}

inline void copy_out(const std::vector<std::uint8_t>& ring, std::uint64_t position, std::uint8_t* to, std::size_t nbytes) {
    const std::size_t at = position % ring.size();
    const std::size_t head = std::min(nbytes, ring.size() - at);
    std::memcpy(to, &ring[at], head);
    std::memcpy(to + head, ring.data(), nbytes - head);
}

}  // namespace gapless
