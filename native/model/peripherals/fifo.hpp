// A FIFO of a fixed depth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace gapless {

template <typename T>
class Fifo {
public:
    explicit Fifo(std::size_t depth) : depth_(depth) {}

    bool empty() const { return items_.empty(); }
    bool full() const { return items_.size() >= depth_; }
    std::size_t size() const { return items_.size(); }
    std::size_t depth() const { return depth_; }
    const T& front() const { return items_.front(); }
    // What the occupancy registers of Xilinx's cores show: one less than there is, and 0 for none, too.
    std::uint32_t occupancy() const { return empty() ? 0 : static_cast<std::uint32_t>(size() - 1); }

    // False: it was full, and `item` is lost.
    bool push(T item) {
        if (full()) return false;
        items_.push_back(item);
        return true;
    }
    // Of an empty one: T{}.
    T pop() {
        if (empty()) return T{};
        const T item = items_.front();
        items_.pop_front();
        return item;
    }
    void clear() { items_.clear(); }

private:
    std::size_t depth_;
    std::deque<T> items_;
};

}  // namespace gapless
