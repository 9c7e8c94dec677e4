#include "memory/free_list.hpp"

#include <algorithm>
#include <stdexcept>

namespace gapless {
namespace {

bool power_of_two(std::uint64_t n) { return n != 0 && (n & (n - 1)) == 0; }

// Bytes from `start` to the next multiple of `align`.
std::uint64_t padding(std::uint64_t start, std::uint64_t align) { return (0 - start) & (align - 1); }

// What is left of a block once its start is aligned.
std::uint64_t usable(std::uint64_t start, std::uint64_t size, std::uint64_t align) {
    const std::uint64_t pad = padding(start, align);
    return pad < size ? size - pad : 0;
}

}  // namespace

FreeList::FreeList(std::uint64_t base, std::uint64_t size, std::uint64_t granularity)
    : base_(base), size_(size), granularity_(granularity), free_(size), nodes_(1) {
    if (!power_of_two(granularity)) throw std::invalid_argument("granularity must be a power of two");
    if (base % granularity != 0 || size % granularity != 0)
        throw std::invalid_argument("base and size must be multiples of the granularity");
    if (size > UINT64_MAX - base) throw std::invalid_argument("base + size exceeds 64 bits");
    if (size != 0) insert(base, size);
}

std::uint64_t FreeList::rounded(std::uint64_t size) const {
    if (size > size_) return 0;  // also keeps the rounding from wrapping: size_ is a multiple
    return (size + granularity_ - 1) & ~(granularity_ - 1);
}

bool FreeList::inside(std::uint64_t address, std::uint64_t size) const {
    return address >= base_ && address - base_ <= size_ && size <= size_ - (address - base_);
}

std::optional<std::uint64_t> FreeList::allocate(std::uint64_t size, std::uint64_t align,
                                                std::uint64_t limit_end) {
    if (!power_of_two(align)) throw std::invalid_argument("align must be a power of two");
    align = std::max(align, granularity_);
    size = rounded(size);
    if (size == 0) return std::nullopt;
    // The nearest class at or below `align`: it promises at least what `align` can have, so nothing that
    // fits is skipped; between two classes a few blocks are looked at in vain.
    unsigned cls = 0;
    while (cls + 1 < kClasses && (granularity_ << (2 * (cls + 1))) <= align) ++cls;
    const Index block = first_fit(root_, size, align, cls, limit_end);
    if (block == 0) return std::nullopt;
    const std::uint64_t address = node(block).start + padding(node(block).start, align);
    take(block, address, size);
    return address;
}

bool FreeList::allocate_at(std::uint64_t address, std::uint64_t size) {
    size = rounded(size);
    if (size == 0 || address % granularity_ != 0 || !inside(address, size)) return false;
    const Index block = at_or_below(address);
    if (block == 0) return false;
    const std::uint64_t offset = address - node(block).start;
    if (offset >= node(block).size || node(block).size - offset < size) return false;
    take(block, address, size);
    return true;
}

void FreeList::release(std::uint64_t address, std::uint64_t size) {
    size = rounded(size);
    if (size == 0 || address % granularity_ != 0 || !inside(address, size))
        throw std::invalid_argument("release of a range outside the free list");
    const Index low = at_or_below(address), high = above(address);
    const bool low_taken = low != 0 && node(low).size > address - node(low).start;
    const bool high_taken = high != 0 && node(high).start - address < size;
    if (low_taken || high_taken) throw std::invalid_argument("release of a range that is free already");

    free_ += size;
    const bool joins_low = low != 0 && node(low).start + node(low).size == address;
    const bool joins_high = high != 0 && node(high).start == address + size;
    if (joins_low) {
        const std::uint64_t start = node(low).start, more = joins_high ? node(high).size : 0;
        const std::uint64_t grown = node(low).size + size + more;
        if (joins_high) erase(node(high).start);
        replace(root_, start, start, grown);
    } else if (joins_high) {
        replace(root_, node(high).start, address, node(high).size + size);
    } else {
        insert(address, size);
    }
}

std::uint64_t FreeList::largest_free(std::uint64_t limit_end) const {
    if (limit_end == kNoLimit) return node(root_).fit[0];
    std::uint64_t largest = 0;
    for (const auto& [start, size] : blocks())  // asked only to word an error
        if (start < limit_end) largest = std::max(largest, std::min(size, limit_end - start));
    return largest;
}

std::vector<FreeList::Block> FreeList::blocks() const {
    std::vector<Block> found;
    found.reserve(count_);
    std::vector<Index> path;
    for (Index t = root_; t != 0 || !path.empty();) {
        for (; t != 0; t = node(t).left) path.push_back(t);
        t = path.back();
        path.pop_back();
        found.emplace_back(node(t).start, node(t).size);
        t = node(t).right;
    }
    return found;
}

FreeList::Index FreeList::first_fit(Index t, std::uint64_t size, std::uint64_t align, unsigned cls,
                                    std::uint64_t limit) const {
    if (t == 0 || node(t).fit[cls] < size) return 0;
    if (const Index lower = first_fit(node(t).left, size, align, cls, limit)) return lower;
    const Node& n = node(t);
    if (n.start >= limit) return 0;  // so is every block to the right
    if (usable(n.start, n.size, align) >= size) {
        const std::uint64_t address = n.start + padding(n.start, align);
        // The first aligned fit that passes the limit is followed only by higher ones.
        return address < limit && limit - address >= size ? t : 0;
    }
    return first_fit(n.right, size, align, cls, limit);
}

FreeList::Index FreeList::at_or_below(std::uint64_t address) const {
    Index found = 0;
    for (Index t = root_; t != 0;) {
        if (node(t).start <= address) {
            found = t;
            t = node(t).right;
        } else {
            t = node(t).left;
        }
    }
    return found;
}

FreeList::Index FreeList::above(std::uint64_t address) const {
    Index found = 0;
    for (Index t = root_; t != 0;) {
        if (node(t).start > address) {
            found = t;
            t = node(t).left;
        } else {
            t = node(t).right;
        }
    }
    return found;
}

// Cut [address, address + size) out of a block that contains it.
void FreeList::take(Index block, std::uint64_t address, std::uint64_t size) {
    const std::uint64_t start = node(block).start, end = start + node(block).size;
    free_ -= size;
    if (address == start && address + size == end) {
        erase(start);
    } else if (address == start) {
        replace(root_, start, address + size, end - address - size);
    } else {
        replace(root_, start, start, address - start);
        if (address + size != end) insert(address + size, end - address - size);
    }
}

void FreeList::update(Index t) {
    Node& n = node(t);
    const Node &l = node(n.left), &r = node(n.right);
    for (unsigned cls = 0; cls < kClasses; ++cls)
        n.fit[cls] = std::max({usable(n.start, n.size, granularity_ << (2 * cls)), l.fit[cls], r.fit[cls]});
}

void FreeList::split(Index t, std::uint64_t key, Index& low, Index& high) {
    if (t == 0) {
        low = high = 0;
        return;
    }
    if (node(t).start < key) {
        Index rest = 0;
        split(node(t).right, key, rest, high);
        node(t).right = rest;
        low = t;
    } else {
        Index rest = 0;
        split(node(t).left, key, low, rest);
        node(t).left = rest;
        high = t;
    }
    update(t);
}

FreeList::Index FreeList::merge(Index low, Index high) {
    if (low == 0 || high == 0) return low != 0 ? low : high;
    if (node(low).priority > node(high).priority) {
        node(low).right = merge(node(low).right, high);
        update(low);
        return low;
    }
    node(high).left = merge(low, node(high).left);
    update(high);
    return high;
}

void FreeList::insert(std::uint64_t start, std::uint64_t size) {
    Index added;
    if (spare_.empty()) {
        added = static_cast<Index>(nodes_.size());
        nodes_.emplace_back();
    } else {
        added = spare_.back();
        spare_.pop_back();
    }
    // xorshift32: the tree's shape, unlike the addresses handed out, hangs on it; a fixed seed repeats.
    random_ ^= random_ << 13;
    random_ ^= random_ >> 17;
    random_ ^= random_ << 5;
    Node& n = node(added);
    n = Node{};
    n.start = start;
    n.size = size;
    n.priority = random_;
    update(added);
    Index low = 0, high = 0;
    split(root_, start, low, high);
    root_ = merge(merge(low, added), high);
    ++count_;
}

void FreeList::erase(std::uint64_t start) {
    Index low = 0, gone = 0, high = 0;
    split(root_, start, low, high);
    split(high, start + 1, gone, high);
    root_ = merge(low, high);
    spare_.push_back(gone);
    --count_;
}

// Change a block in place. Its order among the others must not change.
void FreeList::replace(Index t, std::uint64_t key, std::uint64_t start, std::uint64_t size) {
    if (node(t).start == key) {
        node(t).start = start;
        node(t).size = size;
    } else {
        replace(key < node(t).start ? node(t).left : node(t).right, key, start, size);
    }
    update(t);
}

}  // namespace gapless
