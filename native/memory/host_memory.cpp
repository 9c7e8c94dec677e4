#include "memory/host_memory.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace gapless {
namespace {

constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20;

std::uintptr_t page_size() {
    static const auto size = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    return size;
}

std::uint8_t* map(std::uint64_t size, int flags, int descriptor, std::uint64_t offset) {
    void* mapping = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, descriptor,
                         static_cast<off_t>(offset));
    if (mapping == MAP_FAILED)
        throw std::runtime_error("cannot reserve " + std::to_string(size) + " bytes of host memory: " +
                                 std::strerror(errno) + " (see ulimit -v and vm.overcommit_memory)");
    return static_cast<std::uint8_t*>(mapping);
}

// madvise() over the whole pages inside a range. The result is not looked at: these are hints, and a
// kernel built without huge pages refuses some of them.
void advise(std::uint8_t* start, std::uint64_t nbytes, std::uintptr_t page, int advice) {
    const auto first = reinterpret_cast<std::uintptr_t>(start);
    const std::uintptr_t low = (first + page - 1) & ~(page - 1);
    const std::uintptr_t high = (first + nbytes) & ~(page - 1);
    if (low < high) madvise(reinterpret_cast<void*>(low), high - low, advice);
}

}  // namespace

HostMemory::HostMemory(std::uint64_t size) : data_(nullptr), size_(size), mapped_(0) {
    const std::uint64_t page = page_size();
    if (size == 0) throw std::invalid_argument("host memory of 0 bytes");
    if (size > UINT64_MAX / 2) throw std::invalid_argument("host memory of more than 2^63 bytes");
    mapped_ = (size + page - 1) / page * page;
    data_ = map(mapped_, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    // Where huge pages are the system's default, one byte written would cost 2 MiB.
    advise(data_, mapped_, page, MADV_NOHUGEPAGE);
}

HostMemory::HostMemory(int descriptor, std::uint64_t offset, std::uint64_t size)
    : data_(nullptr), size_(size), mapped_(size), shared_(true) {
    struct stat file {};
    if (fstat(descriptor, &file) != 0)
        throw std::invalid_argument(std::string("host memory of a file: ") + std::strerror(errno));
    const auto length = static_cast<std::uint64_t>(file.st_size);
    if (size == 0) throw std::invalid_argument("host memory of 0 bytes");
    if (offset % page_size() != 0)
        throw std::invalid_argument("host memory of a file from offset " + std::to_string(offset) +
                                    ": it starts at a multiple of " + std::to_string(page_size()));
    if (offset > length || size > length - offset)
        throw std::invalid_argument("offset " + std::to_string(offset) + " + " + std::to_string(size) +
                                    " bytes leaves a file of " + std::to_string(length) + " bytes");
    data_ = map(size, MAP_SHARED, descriptor, offset);
}

HostMemory::~HostMemory() { munmap(data_, mapped_); }

std::uint8_t* HostMemory::at(std::uint64_t offset, std::uint64_t nbytes) const {
    if (offset > size_ || nbytes > size_ - offset)
        throw std::out_of_range("offset " + std::to_string(offset) + " + " + std::to_string(nbytes) +
                                " bytes leaves a host memory of " + std::to_string(size_) + " bytes");
    return data_ + offset;
}

void HostMemory::discard(std::uint64_t offset, std::uint64_t nbytes) const {
    std::uint8_t* start = at(offset, nbytes);
    if (shared_) return;
    advise(start, nbytes, page_size(), MADV_DONTNEED);
    // Undo advise_huge(): the next buffers here may be tiny.
    advise(start, nbytes, kHugePage, MADV_NOHUGEPAGE);
}

void HostMemory::advise_huge(std::uint64_t offset, std::uint64_t nbytes) const {
    std::uint8_t* start = at(offset, nbytes);
    if (!shared_) advise(start, nbytes, kHugePage, MADV_HUGEPAGE);
}

std::uint64_t HostMemory::resident() const {
    const std::uint64_t page = page_size(), step = std::uint64_t{1} << 30;
    std::vector<unsigned char> present(step / page);
    std::uint64_t pages = 0;
    for (std::uint64_t offset = 0; offset < mapped_; offset += step) {
        const std::uint64_t length = std::min(step, mapped_ - offset);
        if (mincore(data_ + offset, length, present.data()) != 0) continue;
        for (std::uint64_t i = 0; i < length / page; ++i) pages += present[i] & 1U;
    }
    return pages * page;
}

}  // namespace gapless
