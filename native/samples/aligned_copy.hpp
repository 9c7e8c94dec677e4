#pragma once

#include <cstddef>
#include <cstdint>

namespace gapless {

// Copies to and from memory that takes whole, aligned 64-bit accesses and no others (Device memory on
// aarch64, where memcpy ends in a bus error). Only `device` is accessed so; the words that hold its first
// and last byte are accessed whole, and must be mapped whole. The two ranges do not overlap.
void copy_to_aligned(void* device, const void* data, std::size_t nbytes);
void copy_from_aligned(void* data, const void* device, std::size_t nbytes);

}  // namespace gapless
