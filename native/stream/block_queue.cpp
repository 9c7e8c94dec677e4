#include "stream/block_queue.hpp"

#include <algorithm>
#include <utility>

namespace gapless {

BlockQueue::BlockQueue(std::shared_ptr<RegisterBus> bus, std::uint64_t base, std::uint32_t stride, std::uint32_t count,
                       std::uint64_t limit)
    : bus_(std::move(bus)),
      base_(base),
      stride_(stride),
      count_(count),
      limit_(limit),
      given_signal_(bus_->add_signal()),
      done_signal_(bus_->add_signal()) {}

BlockQueue::~BlockQueue() { retire(); }

void BlockQueue::retire() {
    std::lock_guard lock(mutex_);
    if (std::exchange(retired_, true)) return;
    ended_ = true;
    bus_->remove_signal(given_signal_);
    bus_->remove_signal(done_signal_);
}

// ---- the user's side -------------------------------------------------------------------------------

void BlockQueue::give(RegisterBus& bus, std::uint32_t block, std::uint32_t nbytes) {
    if (!bus.take_turn()) throw Cancelled();
    {
        std::lock_guard lock(mutex_);
        if (limit_ != 0 && given_ >= limit_) return;  // the engine is to move no more than that
        uses_.push_back({block, nbytes});
        ++given_;
        marks_.high = std::max(marks_.high, given_ - done_);
    }
    bus.set_signal(given_signal_, true);
}

BlockQueue::Taken BlockQueue::take(RegisterBus& bus, Time timeout) {
    const Time begun = bus.now();
    const Time deadline = timeout < never - begun ? begun + timeout : never;
    for (;;) {
        {
            std::lock_guard lock(mutex_);
            if (retired_) return {Taken::State::ended};
        }
        bus.set_signal(done_signal_, false);
        {
            std::lock_guard lock(mutex_);
            if (taken_ < done_) {
                const Use use = uses_.front();
                uses_.pop_front();
                return {Taken::State::block, use.block, use.nbytes, taken_++};
            }
            if (ended_) return {Taken::State::ended};
        }
        const Time now = bus.now();
        if (now >= deadline) return {Taken::State::nothing};
        bus.wait({-1, static_cast<int>(done_signal_)}, deadline == never ? never : deadline - now);
    }
}

void BlockQueue::close(RegisterBus& bus) {
    if (!bus.take_turn()) throw Cancelled();
    {
        std::lock_guard lock(mutex_);
        closing_ = true;
    }
    bus.set_signal(given_signal_, true);
}

void BlockQueue::end(RegisterBus& bus) {
    bus.take_turn();
    {
        std::lock_guard lock(mutex_);
        ended_ = true;
    }
    bus.set_signal(done_signal_, true);
}

void BlockQueue::settle(std::uint64_t pieces) {
    std::lock_guard lock(mutex_);
    while (done_ < begun_ + pieces) finish_one(uses_[done_ - taken_].nbytes);
}

std::uint64_t BlockQueue::given() const {
    std::lock_guard lock(mutex_);
    return given_;
}

std::uint64_t BlockQueue::done() const {
    std::lock_guard lock(mutex_);
    return done_;
}

BlockQueue::Marks BlockQueue::marks() const {
    std::lock_guard lock(mutex_);
    Marks marks = marks_;
    if (!marked_) marks.low = marks.high;  // it ended before the first was done
    return marks;
}

// ---- the loop's side -------------------------------------------------------------------------------

void BlockQueue::begin() {
    std::lock_guard lock(mutex_);
    begun_ = done_;
}

std::uint64_t BlockQueue::ready(RegisterBus& bus) {
    bus.set_signal(given_signal_, false);
    std::lock_guard lock(mutex_);
    closed_seen_ = is_closed();
    return given_ - begun_;
}

Piece BlockQueue::piece(std::uint64_t index) const {
    std::lock_guard lock(mutex_);
    const Use& use = uses_[begun_ + index - taken_];
    return {{base_ + std::uint64_t{use.block} * stride_, use.nbytes}, true, true};
}

void BlockQueue::moved(RegisterBus& bus, std::uint32_t nbytes) {
    bus.take_turn();
    std::lock_guard lock(mutex_);
    finish_one(nbytes);
    const std::uint64_t left = given_ - done_;
    if (is_closed()) return;  // coming to its end: nobody is late
    if (left == 0) ++marks_.late;
    marks_.low = marked_ ? std::min(marks_.low, left) : left;
    marked_ = true;
}

void BlockQueue::publish(RegisterBus& bus) { bus.set_signal(done_signal_, true); }

void BlockQueue::finish_one(std::uint32_t nbytes) {
    uses_[done_ - taken_].nbytes = nbytes;
    ++done_;
}

}  // namespace gapless
