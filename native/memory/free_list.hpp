// Which parts of an address range are free: an address-ordered, first-fit allocator.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace gapless {

// Free blocks live in a treap ordered by address. Every node knows, for a few alignments, the most that
// any block below it can hold at that alignment, so the lowest fit is found by one descent instead of a
// walk over the blocks. Neighbouring free blocks are always merged.
//
// `granularity` is a power of two that divides `base` and `size`; sizes are rounded up to it, and
// addresses handed out are multiples of it. Not thread safe.
class FreeList {
public:
    using Block = std::pair<std::uint64_t, std::uint64_t>;  // address, size
    static constexpr std::uint64_t kNoLimit = UINT64_MAX;

    FreeList(std::uint64_t base, std::uint64_t size, std::uint64_t granularity);

    // The lowest address that is a multiple of `align` (a power of two), holds `size` bytes and ends at
    // or below `limit_end`; nothing when there is none.
    std::optional<std::uint64_t> allocate(std::uint64_t size, std::uint64_t align,
                                          std::uint64_t limit_end = kNoLimit);
    // False when any byte of it is taken or outside the range, or `address` is off the granularity.
    bool allocate_at(std::uint64_t address, std::uint64_t size);
    // Throws std::invalid_argument when any byte of it is free already or outside the range.
    void release(std::uint64_t address, std::uint64_t size);

    std::uint64_t total() const { return size_; }
    std::uint64_t free() const { return free_; }
    // The largest stretch that ends at or below `limit_end`.
    std::uint64_t largest_free(std::uint64_t limit_end = kNoLimit) const;
    std::size_t block_count() const { return count_; }
    std::vector<Block> blocks() const;  // in order of address

private:
    using Index = std::uint32_t;              // into nodes_; 0 is the empty tree
    static constexpr unsigned kClasses = 8;   // alignments granularity * 4^k

    struct Node {
        std::uint64_t start = 0, size = 0;
        Index left = 0, right = 0;
        std::uint32_t priority = 0;
        std::array<std::uint64_t, kClasses> fit{};  // the most any block of this subtree holds, per class
    };

    std::uint64_t rounded(std::uint64_t size) const;  // 0 when it cannot be had at all
    bool inside(std::uint64_t address, std::uint64_t size) const;
    Node& node(Index i) { return nodes_[i]; }
    const Node& node(Index i) const { return nodes_[i]; }

    void update(Index t);
    void split(Index t, std::uint64_t key, Index& low, Index& high);
    Index merge(Index low, Index high);
    void insert(std::uint64_t start, std::uint64_t size);
    void erase(std::uint64_t start);
    void replace(Index t, std::uint64_t key, std::uint64_t start, std::uint64_t size);
    void take(Index block, std::uint64_t address, std::uint64_t size);

    Index first_fit(Index t, std::uint64_t size, std::uint64_t align, unsigned cls, std::uint64_t limit) const;
    Index at_or_below(std::uint64_t address) const;
    Index above(std::uint64_t address) const;

    std::uint64_t base_, size_, granularity_, free_;
    std::size_t count_ = 0;
    Index root_ = 0;
    std::uint32_t random_ = 0x9E3779B9U;
    std::vector<Node> nodes_;
    std::vector<Index> spare_;
};

}  // namespace gapless
