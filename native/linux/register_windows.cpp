#include "linux/register_windows.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "register_bus.hpp"

namespace gapless {

std::string hex_address(std::uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%" PRIX64, value);
    return text;
}

void RegisterWindows::add(std::uint64_t base, std::uint64_t size, void* host, std::shared_ptr<void> owner) {
    if (base % 4 != 0 || size % 4 != 0 || size == 0 || reinterpret_cast<std::uintptr_t>(host) % 4 != 0)
        throw std::invalid_argument("a register window is whole 32-bit registers, aligned to 4 bytes");
    if (base + size - 1 < base) throw std::invalid_argument("a register window ends at or below 2**64");
    const std::lock_guard lock(adding_);
    const std::size_t count = count_.load(std::memory_order_relaxed);
    if (count == windows_.size())
        throw std::invalid_argument("a bus has at most " + std::to_string(windows_.size()) + " register windows");
    for (std::size_t i = 0; i < count; ++i)
        if (base <= windows_[i].base + (windows_[i].size - 1) && windows_[i].base <= base + (size - 1))
            throw std::invalid_argument("the register window at " + hex_address(base) + " overlaps the one at " +
                                        hex_address(windows_[i].base));
    windows_[count] = {base, size, static_cast<volatile std::uint32_t*>(host), std::move(owner)};
    count_.store(count + 1, std::memory_order_release);
}

volatile std::uint32_t* RegisterWindows::at(std::uint64_t address) const {
    volatile std::uint32_t* const found = find(address);
    if (found != nullptr) return found;
    if (address % 4 != 0) throw BusFault("register address " + hex_address(address) + " is not a multiple of 4");
    throw BusFault("no registers are mapped at " + hex_address(address) + ": there is " + list());
}

std::string RegisterWindows::list() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    const std::size_t count = count_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < count; ++i)
        ranges.emplace_back(windows_[i].base, windows_[i].base + (windows_[i].size - 1));
    if (ranges.empty()) return "no register window";
    std::sort(ranges.begin(), ranges.end());
    std::string text;
    for (const auto& [first, last] : ranges)
        text += (text.empty() ? "" : ", ") + hex_address(first) + " to " + hex_address(last);
    return text;
}

}  // namespace gapless
