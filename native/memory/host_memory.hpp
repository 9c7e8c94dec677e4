// Host memory that stands for a board's DDR.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gapless {

// A sparse, zeroed range of host memory: a page costs nothing until it is written. Or a part of a file, shared
// with whoever else maps it. Hold it by std::shared_ptr; it is unmapped when the last holder goes.
class HostMemory {
public:
    // Throws std::runtime_error with the reason when the host refuses.
    explicit HostMemory(std::uint64_t size);
    // The bytes [offset, offset + size) of an open file, which may be closed afterwards. Throws
    // std::invalid_argument unless the file has them and `offset` is the start of a page. The file must not
    // become shorter: what touches a byte that is gone ends the program (SIGBUS).
    HostMemory(int descriptor, std::uint64_t offset, std::uint64_t size);
    ~HostMemory();
    HostMemory(const HostMemory&) = delete;
    HostMemory& operator=(const HostMemory&) = delete;

    std::uint8_t* data() const { return data_; }
    std::uint64_t size() const { return size_; }
    std::uint64_t resident() const;  // bytes the host has really given

    // The methods below, and this one, throw std::out_of_range when the range leaves the memory.
    std::uint8_t* at(std::uint64_t offset, std::uint64_t nbytes) const;

    // Give the whole pages inside the range back to the host; they read zero afterwards. Bytes on the
    // pages that the range covers only in part keep their values. Memory of a file keeps all: it is not ours alone.
    void discard(std::uint64_t offset, std::uint64_t nbytes) const;

    // Let the host use huge pages for the range, so that filling it takes one page fault per 2 MiB.
    // Only huge pages that lie wholly inside are touched: small neighbours stay small.
    void advise_huge(std::uint64_t offset, std::uint64_t nbytes) const;

private:
    std::uint8_t* data_;
    std::uint64_t size_, mapped_;
    bool shared_ = false;
};

}  // namespace gapless
