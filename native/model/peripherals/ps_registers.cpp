#include "model/peripherals/ps_registers.hpp"

namespace gapless {

namespace {

// UG585, "System Level Control Registers": what is written to the first two are keys, and they read as 0.
enum Lock : std::uint32_t { lock = 0x004, unlock = 0x008, lock_status = 0x00C };
constexpr std::uint32_t lock_key = 0x767B, unlock_key = 0xDF0D, key_bits = 0xFFFF;

}  // namespace

std::uint32_t PsRegisters::read(std::uint32_t offset, Time) {
    if (locks_ && offset == lock_status) return locked_ ? 1 : 0;
    const auto found = words_.find(offset);
    return found == words_.end() ? 0 : found->second;
}

void PsRegisters::write(std::uint32_t offset, std::uint32_t value, Time) {
    if (!locks_) {
        words_[offset] = value;
    } else if (offset == lock) {
        locked_ = locked_ || (value & key_bits) == lock_key;
    } else if (offset == unlock) {
        locked_ = locked_ && (value & key_bits) != unlock_key;
    } else if (offset != lock_status && !locked_) {
        words_[offset] = value;
    }
}

}  // namespace gapless
