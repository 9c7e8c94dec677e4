// Pages of a file, mapped side by side in an order of choice, and pinned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gapless {

// Pages of a hugetlbfs file (any file will do for tests) at consecutive virtual addresses, in the order of
// `offsets`: neighbours in physical memory become neighbours here, wherever they are in the file. They are present
// from the start, so that /proc/self/pagemap knows them. Every failure is a std::system_error.
class PinnedPages {
public:
    // `page` bytes at each of `offsets` (bytes in the file), both multiples of what the file has as a page. A file
    // that is mapped as a whole is one page at 0.
    PinnedPages(int file, std::uint64_t page, const std::vector<std::uint64_t>& offsets);
    ~PinnedPages() { close(); }
    PinnedPages(const PinnedPages&) = delete;
    PinnedPages& operator=(const PinnedPages&) = delete;

    // Take a long-term pin: the kernel moves the pages out of memory that it may want back, now, and no more after
    // that. By io_uring, whose registered buffers are pinned so (io_uring_register(2), IORING_REGISTER_BUFFERS;
    // FOLL_LONGTERM in Documentation/core-api/pin_user_pages.rst). mlock(2) is no substitute: it keeps a page
    // resident, not in its place, and on hugetlb pages it does nothing (mm/mlock.c, mlock_fixup).
    void pin();
    bool pinned() const { return ring_ >= 0; }

    std::uint64_t size() const { return size_; }
    std::uint8_t* data() const { return data_; }
    // Throws std::out_of_range when the range leaves the mapping, and after close().
    std::uint8_t* at(std::uint64_t offset, std::uint64_t nbytes) const;

    // Unpin and unmap; a second call does nothing.
    void close() noexcept;

private:
    std::uint8_t* data_ = nullptr;
    std::uint64_t size_;
    int ring_ = -1;
};

}  // namespace gapless
