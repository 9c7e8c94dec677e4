// The physical address space that the DMA engines of the virtual board see.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace gapless {

class Port;

enum class Response { okay, slave_error, decode_error };

class AddressSpace {
public:
    // `data` is the host memory behind [base, base + size); `owner` keeps it alive. `kind` selects the
    // port through which an engine reaches it. Memory that is guarded may only be touched by DMA where
    // a buffer was allocated.
    struct Memory {
        std::uint64_t base, size;
        std::uint8_t* data;
        std::shared_ptr<void> owner;
        int kind;
        bool guarded;
    };
    void add_memory(Memory memory);
    // The memory of the PL from now on.
    void load(const std::vector<Memory>& memories);
    // Make [base, base + size) answer SLVERR, as a broken or protected slave does.
    void add_slave_error(std::uint64_t base, std::uint64_t size);
    void clear_slave_errors() {
        slave_errors_.clear();
        ++generation_;
    }

    void allocated(std::uint64_t base, std::uint64_t size) {
        buffers_[base] = size;
        ++generation_;
    }
    void released(std::uint64_t base) {
        buffers_.erase(base);
        ++generation_;
    }
    // Another number when what was found out about a place may no longer hold.
    std::uint64_t generation() const { return generation_; }

    Response respond(std::uint64_t address, std::uint64_t nbytes) const;
    // Host memory behind a range that responds okay.
    std::uint8_t* translate(std::uint64_t address) const;
    int kind(std::uint64_t address) const;
    // Bytes from `address` to the end of the memory that holds it.
    std::uint64_t contiguous(std::uint64_t address) const;
    // Whether one live buffer holds the whole range (always true outside guarded memory).
    bool in_one_buffer(std::uint64_t address, std::uint64_t nbytes) const;
    // Whether only buffers may be touched there.
    bool guarded(std::uint64_t address) const;
    // The buffer that holds `address`, as (base, size).
    std::optional<std::pair<std::uint64_t, std::uint64_t>> buffer_at(std::uint64_t address) const;

private:
    const Memory* find(std::uint64_t address) const;

    std::vector<Memory> memories_;
    std::size_t loaded_ = 0;  // so many of them, the last, are of the PL
    std::vector<std::pair<std::uint64_t, std::uint64_t>> slave_errors_;
    std::map<std::uint64_t, std::uint64_t> buffers_;
    std::uint64_t generation_ = 1;
};

}  // namespace gapless
