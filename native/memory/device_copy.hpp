// Copies to and from Device memory, where an access that is not aligned to its size is a fault.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gapless {

// Every access to the device side is one load or store of its natural alignment: bytes up to the first multiple
// of 8, then 8 bytes at a time, then bytes. The other side is ordinary memory, at any alignment. No call of
// memcpy or memset touches Device memory: they use unaligned accesses and `dc zva` (DDI 0487, "Memory types and
// attributes").
void device_write(std::uint8_t* device, const std::uint8_t* from, std::size_t nbytes);
void device_read(std::uint8_t* to, const std::uint8_t* device, std::size_t nbytes);
// `pattern` again and again from the first byte on.
void device_fill(std::uint8_t* device, std::size_t nbytes, const std::uint8_t* pattern, std::size_t pattern_bytes);

}  // namespace gapless
