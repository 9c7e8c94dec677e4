#include "memory/pinned_pages.hpp"

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace gapless {
namespace {

// The most that one registered buffer may have (io_uring/rsrc.c, io_buffer_validate).
constexpr std::uint64_t kLargestBuffer = std::uint64_t{1} << 30;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

long ring_call(long ring, unsigned operation, void* argument, unsigned count) {
    long result = 0;
    do result = syscall(__NR_io_uring_register, ring, operation, argument, count);
    while (result < 0 && errno == EINTR);  // it waits for what is under way, until a signal comes
    return result;
}

}  // namespace

PinnedPages::PinnedPages(int file, std::uint64_t page, const std::vector<std::uint64_t>& offsets)
    : size_(page * offsets.size()) {
    if (page == 0 || offsets.empty()) throw std::invalid_argument("at least one page, of at least one byte");
    // A mapping of the file itself finds a place for them that is aligned as huge pages must be. Nothing is ever
    // touched through it, so nothing is reserved for it.
    void* place = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    if (place == MAP_FAILED) fail("mmap of the pages");
    data_ = static_cast<std::uint8_t*>(place);
    std::uint8_t* to = data_;
    for (std::size_t i = 0; i < offsets.size();) {
        std::size_t end = i + 1;  // one mapping for neighbours in the file
        while (end < offsets.size() && offsets[end] == offsets[end - 1] + page) ++end;
        const std::uint64_t length = page * (end - i);
        if (mmap(to, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED | MAP_POPULATE, file,
                 static_cast<off_t>(offsets[i])) == MAP_FAILED) {
            const int error = errno;
            close();
            errno = error;
            fail("mmap of a page");
        }
        to += length;
        i = end;
    }
}

void PinnedPages::pin() {
    if (data_ == nullptr) throw std::invalid_argument("the pages were given back");
    if (pinned()) return;
    io_uring_params params{};
    const long ring = syscall(__NR_io_uring_setup, 1, &params);
    if (ring < 0) fail("io_uring_setup");
    std::vector<iovec> buffers;
    for (std::uint64_t offset = 0; offset < size_; offset += kLargestBuffer)
        buffers.push_back({data_ + offset, static_cast<std::size_t>(std::min(kLargestBuffer, size_ - offset))});
    if (ring_call(ring, IORING_REGISTER_BUFFERS, buffers.data(), static_cast<unsigned>(buffers.size())) < 0) {
        const int error = errno;
        ::close(static_cast<int>(ring));
        errno = error;
        fail("io_uring_register");
    }
    ring_ = static_cast<int>(ring);
}

std::uint8_t* PinnedPages::at(std::uint64_t offset, std::uint64_t nbytes) const {
    if (data_ == nullptr || offset > size_ || nbytes > size_ - offset)
        throw std::out_of_range("offset " + std::to_string(offset) + " + " + std::to_string(nbytes) +
                                " bytes leaves " + std::to_string(data_ == nullptr ? 0 : size_) + " bytes of pages");
    return data_ + offset;
}

void PinnedPages::close() noexcept {
    if (ring_ >= 0) {
        // Closing alone unpins too, but some time later, from a work queue.
        ring_call(ring_, IORING_UNREGISTER_BUFFERS, nullptr, 0);
        ::close(ring_);
        ring_ = -1;
    }
    if (data_ != nullptr) munmap(data_, size_);
    data_ = nullptr;
}

}  // namespace gapless
