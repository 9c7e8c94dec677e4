#include "memory/device_copy.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace gapless {
namespace {

// Volatile keeps the compiler from joining, splitting or replacing the accesses.
using Word = std::uint64_t;

std::size_t bytes_to_alignment(const std::uint8_t* device, std::size_t nbytes) {
    const std::size_t past = reinterpret_cast<std::uintptr_t>(device) % sizeof(Word);
    return past == 0 ? 0 : std::min(nbytes, sizeof(Word) - past);
}

}  // namespace

void device_write(std::uint8_t* device, const std::uint8_t* from, std::size_t nbytes) {
    volatile std::uint8_t* bytes = device;
    const std::size_t head = bytes_to_alignment(device, nbytes);
    for (std::size_t i = 0; i < head; ++i) bytes[i] = from[i];
    const std::size_t words = (nbytes - head) / sizeof(Word);
    volatile Word* to = reinterpret_cast<volatile Word*>(device + head);
    for (std::size_t i = 0; i < words; ++i) {
        Word word;
        std::memcpy(&word, from + head + i * sizeof(Word), sizeof(Word));
        to[i] = word;
    }
    for (std::size_t i = head + words * sizeof(Word); i < nbytes; ++i) bytes[i] = from[i];
}

void device_read(std::uint8_t* to, const std::uint8_t* device, std::size_t nbytes) {
    const volatile std::uint8_t* bytes = device;
    const std::size_t head = bytes_to_alignment(device, nbytes);
    for (std::size_t i = 0; i < head; ++i) to[i] = bytes[i];
    const std::size_t words = (nbytes - head) / sizeof(Word);
    const volatile Word* from = reinterpret_cast<const volatile Word*>(device + head);
    for (std::size_t i = 0; i < words; ++i) {
        const Word word = from[i];
        std::memcpy(to + head + i * sizeof(Word), &word, sizeof(Word));
    }
    for (std::size_t i = head + words * sizeof(Word); i < nbytes; ++i) to[i] = bytes[i];
}

void device_fill(std::uint8_t* device, std::size_t nbytes, const std::uint8_t* pattern, std::size_t pattern_bytes) {
    if (pattern_bytes == 0) return;
    // Whole patterns in ordinary memory, enough of them that the copies are long.
    constexpr std::size_t about = 1 << 16;
    const std::size_t length = std::max<std::size_t>(1, std::min(about, nbytes) / pattern_bytes) * pattern_bytes;
    std::vector<std::uint8_t> block(length);
    for (std::size_t i = 0; i < length; i += pattern_bytes) std::memcpy(block.data() + i, pattern, pattern_bytes);
    for (std::size_t done = 0; done < nbytes; done += length)
        device_write(device + done, block.data(), std::min(length, nbytes - done));
}

}  // namespace gapless
