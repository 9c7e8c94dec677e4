#include "model/stream_fifo.hpp"

#include <algorithm>
#include <utility>

#include "model/ring_copy.hpp"

namespace gapless {

std::optional<Time> StreamFifo::push(const Burst& burst, Component& producer) {
    const auto depth = static_cast<std::uint32_t>(storage_.size());
    if (burst.nbytes > depth - level_) {
        producer_ = &producer;
        return std::nullopt;
    }
    copy_in(storage_, std::uint64_t{read_} + level_, burst.data, burst.nbytes);
    level_ += burst.nbytes;
    chunks_.push_back({burst.nbytes, burst.last, burst.end_of_packet});
    if (consumer_ != nullptr) std::exchange(consumer_, nullptr)->wake(burst.last);
    return burst.last;
}

Pull StreamFifo::pull(Time now, std::uint8_t* destination, std::uint32_t limit, Cause, Component& consumer) {
    Pull result;
    if (chunks_.empty()) {
        consumer_ = &consumer;
        return result;
    }
    const auto depth = static_cast<std::uint32_t>(storage_.size());
    while (result.nbytes < limit && !chunks_.empty() && !result.end_of_packet) {
        Chunk& chunk = chunks_.front();
        if (chunk.ready > now) break;
        const std::uint32_t take = std::min(limit - result.nbytes, chunk.nbytes);
        copy_out(storage_, read_, destination + result.nbytes, take);
        read_ = (read_ + take) % depth;
        level_ -= take;
        result.nbytes += take;
        chunk.nbytes -= take;
        if (chunk.nbytes == 0) {
            result.end_of_packet = chunk.end_of_packet;
            chunks_.pop_front();
        }
    }
    if (result.nbytes == 0)
        result.when = chunks_.front().ready;
    else if (producer_ != nullptr)
        std::exchange(producer_, nullptr)->wake(now);
    return result;
}

void StreamFifo::clear() {
    chunks_.clear();
    read_ = level_ = 0;
}

}  // namespace gapless
