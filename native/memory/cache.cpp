#include "memory/cache.hpp"

#include <cstdint>

namespace gapless {

#if defined(__aarch64__)

namespace {

std::size_t line_bytes() {
    // CTR_EL0.DminLine: log2 of the words in the smallest line of any data cache (DDI 0487, "CTR_EL0").
    std::uint64_t value = 0;
    asm("mrs %0, ctr_el0" : "=r"(value));
    return std::size_t{4} << ((value >> 16) & 0xF);
}

template <typename Line>
void for_each_line(const void* data, std::size_t nbytes, Line line) {
    static const std::size_t step = line_bytes();
    const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(data);
    // Whoever wrote before, wrote before.
    asm volatile("dsb sy" ::: "memory");
    for (std::uintptr_t at = first - first % step; at < first + nbytes; at += step) line(at);
    asm volatile("dsb sy" ::: "memory");
}

}  // namespace

void cache_clean(const void* data, std::size_t nbytes) {
    for_each_line(data, nbytes, [](std::uintptr_t at) { asm volatile("dc cvac, %0" ::"r"(at) : "memory"); });
}

void cache_clean_invalidate(const void* data, std::size_t nbytes) {
    for_each_line(data, nbytes, [](std::uintptr_t at) { asm volatile("dc civac, %0" ::"r"(at) : "memory"); });
}

bool cache_needs_maintenance() { return true; }

#else

void cache_clean(const void*, std::size_t) {}
void cache_clean_invalidate(const void*, std::size_t) {}
bool cache_needs_maintenance() { return false; }

#endif

}  // namespace gapless
