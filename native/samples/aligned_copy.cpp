#include "samples/aligned_copy.hpp"

#include <algorithm>
#include <cstring>

namespace gapless {
namespace {

constexpr std::size_t word = 8;

// A volatile access is neither merged with its neighbours nor split nor vectorised.
std::uint64_t read(std::uintptr_t address) { return *reinterpret_cast<const volatile std::uint64_t*>(address); }
void write(std::uintptr_t address, std::uint64_t value) {
    *reinterpret_cast<volatile std::uint64_t*>(address) = value;
}

// Calls part(word address, offset in the word, bytes, offset in the data) for every word touched.
template <class Part>
void each_word(const void* device, std::size_t nbytes, const Part& part) {
    const auto address = reinterpret_cast<std::uintptr_t>(device);
    std::size_t done = 0;
    if (const std::size_t skip = address % word; skip != 0 && nbytes != 0) {
        done = std::min(word - skip, nbytes);
        part(address - skip, skip, done, std::size_t{0});
    }
    for (; nbytes - done >= word; done += word) part(address + done, std::size_t{0}, word, done);
    if (done != nbytes) part(address + done, std::size_t{0}, nbytes - done, done);
}

}  // namespace

void copy_to_aligned(void* device, const void* data, std::size_t nbytes) {
    const auto* from = static_cast<const std::uint8_t*>(data);
    each_word(device, nbytes, [from](std::uintptr_t at, std::size_t offset, std::size_t length, std::size_t done) {
        std::uint64_t value = length == word ? 0 : read(at);
        std::memcpy(reinterpret_cast<std::uint8_t*>(&value) + offset, from + done, length);
        write(at, value);
    });
}

void copy_from_aligned(void* data, const void* device, std::size_t nbytes) {
    auto* to = static_cast<std::uint8_t*>(data);
    each_word(device, nbytes, [to](std::uintptr_t at, std::size_t offset, std::size_t length, std::size_t done) {
        const std::uint64_t value = read(at);
        std::memcpy(to + done, reinterpret_cast<const std::uint8_t*>(&value) + offset, length);
    });
}

}  // namespace gapless
