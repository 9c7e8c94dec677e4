// Physical memory of which only the parts that are used are mapped.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace gapless {

// `size` bytes at offset `base` of a descriptor (for /dev/mem: at that physical address), at one place of the address
// space that never changes. At first nothing is mapped, and reading is a fault; reach() maps windows. Mapping 30 GiB
// at once takes seconds and 60 MB of page tables; a window takes milliseconds. Every method may be called from any
// thread. Throws std::system_error with what the system said, and what was to be mapped.
class WindowedMemory {
public:
    static constexpr std::uint64_t kWindow = std::uint64_t{64} << 20;

    // The descriptor is duplicated. `base` and `size` are multiples of the page, `window` a power of two that is one:
    // std::invalid_argument when they are not. Windows lie at multiples of `window` in the descriptor.
    WindowedMemory(int descriptor, std::uint64_t base, std::uint64_t size, std::uint64_t window = kWindow);
    ~WindowedMemory();
    WindowedMemory(const WindowedMemory&) = delete;
    WindowedMemory& operator=(const WindowedMemory&) = delete;

    std::uint64_t size() const { return size_; }
    std::uint64_t mapped() const;  // bytes

    // The methods below, and this one, throw std::out_of_range when the range leaves the memory.
    std::uint8_t* at(std::uint64_t offset, std::uint64_t nbytes) const;

    // Map what of the range is not mapped yet. When that fails, the windows mapped so far stay.
    void reach(std::uint64_t offset, std::uint64_t nbytes);

    // Unmap the windows that lie wholly inside the range; a window shared with a neighbour stays. Nobody may use the
    // range meanwhile.
    void discard(std::uint64_t offset, std::uint64_t nbytes);

private:
    // Window i of the memory, as offsets in it: the first and the last are cut at the ends.
    std::uint64_t begin_of(std::uint64_t index) const;
    std::uint64_t end_of(std::uint64_t index) const;
    std::uint64_t index_of(std::uint64_t offset) const { return (lead_ + offset) / window_; }
    void map(std::uint64_t begin, std::uint64_t nbytes);

    const std::uint64_t base_, size_, window_;
    const std::uint64_t lead_;  // bytes of the first window that lie before `base`
    int descriptor_;
    std::uint8_t* data_;
    mutable std::mutex mutex_;
    std::vector<bool> is_mapped_;  // by window
    std::uint64_t mapped_ = 0;
};

}  // namespace gapless
