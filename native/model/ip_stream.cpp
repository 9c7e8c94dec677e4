#include "model/ip_stream.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

namespace gapless {

// ---- input -----------------------------------------------------------------------------------------

// Nothing is kept here but what goes into one piece: the engine gets the time at which its burst was taken, and reads no
// more than four ahead.
std::optional<Time> IpInput::push(const Burst& burst, Component& producer) {
    if (!ready_ || !ip_.takes()) {
        producer_ = &producer;
        return std::nullopt;
    }
    producer_ = nullptr;
    Time taken = burst.last;
    if (pace_) taken = std::max(taken, pace_->serve(burst.first, burst.nbytes).end);
    const std::uint8_t* from = burst.data;
    for (std::size_t left = burst.nbytes; left > 0;) {
        const std::size_t room = chunk_ > filling_.size() ? chunk_ - filling_.size() : left;
        const std::size_t take = chunk_ == 0 ? left : std::min(left, room);
        filling_.insert(filling_.end(), from, from + take);
        from += take;
        left -= take;
        const bool last = left == 0 && burst.end_of_packet;
        if (last || (chunk_ != 0 && filling_.size() >= chunk_)) cut(last, taken);
    }
    if (filling_.size() > longest_)
        ip_.stop("a packet of more than " + std::to_string(longest_) +
                     " bytes without TLAST; set the chunk of the input, or longest",
                 burst.now);
    ip_.stirred(burst.now);
    return taken;
}

void IpInput::cut(bool last, Time when) { arrived_.push_back({{std::exchange(filling_, {}), last}, when}); }

void IpInput::set_rate(double rate) {
    pace_.reset();
    if (rate > 0) pace_.emplace(rate);
}

void IpInput::set_ready(bool ready, Time now) {
    ready_ = ready;
    ip_.stirred(now);
}

Time IpInput::due() const { return ready_ && !arrived_.empty() ? arrived_.front().when : never; }

IpPiece IpInput::take() {
    IpPiece piece = std::move(arrived_.front().piece);
    arrived_.pop_front();
    return piece;
}

void IpInput::wake_producer(Time now, bool anyway) {
    if (producer_ != nullptr && (ready_ || anyway)) std::exchange(producer_, nullptr)->wake(now);
}

// ---- output ----------------------------------------------------------------------------------------

Time IpOutput::Leaving::at(std::size_t nbytes) const {
    if (rate == 0) return start;
    const __int128 picoseconds = static_cast<__int128>(nbytes) * picoseconds_per_second;
    return static_cast<Time>(std::min<__int128>(start + (picoseconds + rate - 1) / rate, never / 2));
}

Pull IpOutput::pull(Time now, std::uint8_t* destination, std::uint32_t limit, Cause, Component& consumer) {
    Pull result;
    if (leaving_.empty()) {
        consumer_ = &consumer;
        return result;
    }
    Leaving& oldest = leaving_.front();
    const auto nbytes = static_cast<std::uint32_t>(std::min<std::size_t>(limit, oldest.piece.data.size() - oldest.taken));
    const Time left = oldest.at(oldest.taken + nbytes);
    if (left > now) {
        result.when = left;
        return result;
    }
    std::memcpy(destination, oldest.piece.data.data() + oldest.taken, nbytes);
    result.nbytes = nbytes;
    oldest.taken += nbytes;
    if (oldest.taken == oldest.piece.data.size()) {
        result.end_of_packet = oldest.piece.last;
        leaving_.pop_front();
    }
    const bool was_full = full();
    pending_ -= nbytes;
    if (was_full && !full()) ip_.stirred(now);
    return result;
}

void IpOutput::set_rate(double rate) { rate_ = rate > 0 ? std::max<std::int64_t>(1, std::llround(rate)) : 0; }

void IpOutput::set_depth(std::size_t depth, Time now) {
    depth_ = depth;
    ip_.stirred(now);
}

void IpOutput::send(IpPiece piece, Time when, Time now) {
    if (piece.data.empty()) return;
    pending_ += piece.data.size();
    leaving_.push_back({std::move(piece), std::max(when, free_at_), rate_, 0});
    free_at_ = leaving_.back().at(leaving_.back().piece.data.size());
    wake_consumer(now);
}

void IpOutput::wake_consumer(Time now) {
    if (consumer_ != nullptr) std::exchange(consumer_, nullptr)->wake(now);
}

}  // namespace gapless
