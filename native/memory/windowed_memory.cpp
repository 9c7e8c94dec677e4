#include "memory/windowed_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace gapless {
namespace {

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

std::string range(std::uint64_t nbytes, std::uint64_t address) {
    std::ostringstream text;
    text << nbytes << " bytes at 0x" << std::hex << address;
    return text.str();
}

// Addresses that nothing else is mapped to. Not accounted for, and without page tables.
void* reserve(void* place, std::uint64_t nbytes, int flags) {
    return mmap(place, nbytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
}

std::uint64_t checked_window(std::uint64_t base, std::uint64_t size, std::uint64_t window) {
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    if (window == 0 || (window & (window - 1)) != 0 || window % page != 0)
        throw std::invalid_argument("a window of " + std::to_string(window) +
                                    " bytes: it is a power of two, and whole pages of " + std::to_string(page));
    if (size == 0 || base % page != 0 || size % page != 0)
        throw std::invalid_argument(range(size, base) + ": memory is mapped in whole pages of " +
                                    std::to_string(page) + " bytes");
    constexpr std::uint64_t most = INT64_MAX;  // off_t
    if (base > most || size > most - base || window > most)
        throw std::invalid_argument(range(size, base) + ": beyond 63 bits");
    return window;
}

}  // namespace

WindowedMemory::WindowedMemory(int descriptor, std::uint64_t base, std::uint64_t size, std::uint64_t window)
    : base_(base),
      size_(size),
      window_(checked_window(base, size, window)),
      lead_(base % window),
      descriptor_(-1),
      data_(nullptr),
      is_mapped_((lead_ + size - 1) / window + 1) {
    descriptor_ = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (descriptor_ < 0) fail(errno, "cannot keep descriptor " + std::to_string(descriptor));
    void* reserved = reserve(nullptr, size, 0);
    if (reserved == MAP_FAILED) {
        const int error = errno;
        close(descriptor_);
        fail(error, "cannot reserve the addresses for " + range(size, base));
    }
    data_ = static_cast<std::uint8_t*>(reserved);
}

WindowedMemory::~WindowedMemory() {
    munmap(data_, size_);
    close(descriptor_);
}

std::uint64_t WindowedMemory::mapped() const {
    const std::lock_guard lock(mutex_);
    return mapped_;
}

std::uint8_t* WindowedMemory::at(std::uint64_t offset, std::uint64_t nbytes) const {
    if (offset > size_ || nbytes > size_ - offset)
        throw std::out_of_range("offset " + std::to_string(offset) + " + " + std::to_string(nbytes) +
                                " bytes leaves a memory of " + std::to_string(size_) + " bytes");
    return data_ + offset;
}

std::uint64_t WindowedMemory::begin_of(std::uint64_t index) const { return index == 0 ? 0 : index * window_ - lead_; }

std::uint64_t WindowedMemory::end_of(std::uint64_t index) const {
    return std::min(size_, (index + 1) * window_ - lead_);
}

void WindowedMemory::reach(std::uint64_t offset, std::uint64_t nbytes) {
    at(offset, nbytes);
    if (nbytes == 0) return;
    const std::lock_guard lock(mutex_);
    for (std::uint64_t index = index_of(offset); index <= index_of(offset + nbytes - 1); ++index) {
        if (is_mapped_[index]) continue;
        const std::uint64_t begin = begin_of(index), length = end_of(index) - begin;
        map(begin, length);
        is_mapped_[index] = true;
        mapped_ += length;
    }
}

void WindowedMemory::map(std::uint64_t begin, std::uint64_t nbytes) {
    // Elsewhere first. With MAP_FIXED the kernel has already taken away what was there when a driver refuses, and the
    // hole that leaves in the reservation could become another thread's.
    void* mapping = mmap(nullptr, nbytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_,
                         static_cast<off_t>(base_ + begin));
    if (mapping == MAP_FAILED) fail(errno, "cannot map " + range(nbytes, base_ + begin));
    if (mremap(mapping, nbytes, nbytes, MREMAP_MAYMOVE | MREMAP_FIXED, data_ + begin) == MAP_FAILED) {
        const int error = errno;
        munmap(mapping, nbytes);
        fail(error, "cannot move the mapping of " + range(nbytes, base_ + begin));
    }
}

void WindowedMemory::discard(std::uint64_t offset, std::uint64_t nbytes) {
    at(offset, nbytes);
    if (nbytes == 0) return;
    const std::lock_guard lock(mutex_);
    for (std::uint64_t index = index_of(offset); index <= index_of(offset + nbytes - 1); ++index) {
        const std::uint64_t begin = begin_of(index), length = end_of(index) - begin;
        if (!is_mapped_[index] || begin < offset || begin + length > offset + nbytes) continue;
        if (reserve(data_ + begin, length, MAP_FIXED) == MAP_FAILED)
            fail(errno, "cannot unmap " + range(length, base_ + begin));
        is_mapped_[index] = false;
        mapped_ -= length;
    }
}

}  // namespace gapless
