// Which physical addresses of registers are mapped, and where.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace gapless {

// Windows are added and never taken away, so that an access needs no lock.
class RegisterWindows {
public:
    // `size` bytes of registers at physical `base` are at `host`, as long as `owner` lives. std::invalid_argument
    // for a window that is misaligned or overlaps another.
    void add(std::uint64_t base, std::uint64_t size, void* host, std::shared_ptr<void> owner);

    // The register at `address`; null when no window has it, or it is misaligned.
    volatile std::uint32_t* find(std::uint64_t address) const {
        if (address % 4 != 0) return nullptr;
        const std::size_t count = count_.load(std::memory_order_acquire);
        for (std::size_t i = 0; i < count; ++i) {
            const Window& window = windows_[i];
            if (address - window.base < window.size) return window.host + (address - window.base) / 4;
        }
        return nullptr;
    }
    // The same, or a BusFault that says which windows there are.
    volatile std::uint32_t* at(std::uint64_t address) const;

private:
    struct Window {
        std::uint64_t base = 0, size = 0;
        volatile std::uint32_t* host = nullptr;
        std::shared_ptr<void> owner;
    };
    std::string list() const;

    std::mutex adding_;
    std::array<Window, 256> windows_;
    std::atomic<std::size_t> count_{0};
};

std::string hex_address(std::uint64_t value);

}  // namespace gapless
