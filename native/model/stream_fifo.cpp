#include "model/stream_fifo.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gapless {

std::optional<Time> StreamFifo::push(const Burst& burst, Component& producer) {
    const auto depth = static_cast<std::uint32_t>(storage_.size());
    if (burst.nbytes > depth - level_) {
        producer_ = &producer;
        return std::nullopt;
    }
    const std::uint32_t at = (read_ + level_) % depth;
    const std::uint32_t head = std::min(burst.nbytes, depth - at);
    std::memcpy(&storage_[at], burst.data, head);
    std::memcpy(storage_.data(), burst.data + head, burst.nbytes - head);
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
        const std::uint32_t head = std::min(take, depth - read_);
        std::memcpy(destination + result.nbytes, &storage_[read_], head);
        std::memcpy(destination + result.nbytes + head, storage_.data(), take - head);
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
