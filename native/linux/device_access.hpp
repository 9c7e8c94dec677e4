// Single accesses to device registers, ordered with what the program does to memory that the device shares.
#pragma once

#include <atomic>
#include <cstdint>

namespace gapless {

#if defined(__aarch64__)
// Outer shareable: a DMA engine is outside the inner domain that std::atomic_thread_fence is about.
inline void barrier_before_write() { asm volatile("dmb osh" ::: "memory"); }
inline void barrier_after_read() { asm volatile("dmb oshld" ::: "memory"); }
#elif defined(__arm__) && __ARM_ARCH >= 7
inline void barrier_before_write() { asm volatile("dmb osh" ::: "memory"); }
inline void barrier_after_read() { asm volatile("dmb osh" ::: "memory"); }
#else
inline void barrier_before_write() { std::atomic_thread_fence(std::memory_order_seq_cst); }
inline void barrier_after_read() { std::atomic_thread_fence(std::memory_order_seq_cst); }
#endif

// What is read from memory after this is not older than the register: a descriptor whose completion it told of.
inline std::uint32_t read_register(const volatile std::uint32_t* at) {
    const std::uint32_t value = *at;
    barrier_after_read();
    return value;
}

// What was read from memory and written to it before this is done when the register changes: descriptors are
// there when the engine starts, and a buffer it may now overwrite was read.
inline void write_register(volatile std::uint32_t* at, std::uint32_t value) {
    barrier_before_write();
    *at = value;
}

// Tells the processor that a loop only waits.
inline void relax() {
#if defined(__aarch64__)
    asm volatile("yield");
#elif defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

}  // namespace gapless
