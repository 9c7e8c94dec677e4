#include "model/combiner.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gapless {

Combiner::Combiner(std::vector<Adc*> adcs)
    : PairMonitor({adcs.begin(), adcs.end()}),
      adcs_(std::move(adcs)),
      kernels_(*available_kernels().back()),
      shares_(adcs_.size()) {}

bool Combiner::join(Time now, std::uint32_t frames, Cause late_cause, Component& consumer, Time& retry) {
    std::uint32_t share = 2 * frames;
    retry = now;
    bool ready = true;
    for (Adc* adc : adcs_) {  // each has to know who waits
        const Pull offered = adc->offer(now, share, late_cause, consumer);
        ready = ready && offered.nbytes > 0;
        if (offered.nbytes == 0)
            retry = std::max(retry, offered.when);
        else
            share = std::min(share, offered.nbytes);
    }
    if (!ready) return false;

    const std::size_t count = adcs_.size();
    const std::int16_t* shares[8];
    end_of_packet_ = false;
    for (std::size_t k = 0; k < count; ++k) {
        shares_[k].resize(share / 2);
        shares[k] = shares_[k].data();
        auto* bytes = reinterpret_cast<std::uint8_t*>(shares_[k].data());
        end_of_packet_ = adcs_[k]->pull(now, bytes, share, late_cause, consumer).end_of_packet || end_of_packet_;
    }
    joined_.resize(count * (share / 2));
    given_ = 0;
    kernels_.interleave(joined_.data(), shares, count, share / 2);
    return true;
}

Pull Combiner::pull(Time now, std::uint8_t* destination, std::uint32_t limit, Cause late_cause, Component& consumer) {
    const auto frame = static_cast<std::uint32_t>(2 * adcs_.size());
    Pull taken;
    // A frame is left over when an engine has less room than one at the end of its buffer.
    if (given_ == joined_bytes() && !join(now, std::max(1u, limit / frame), late_cause, consumer, taken.when))
        return taken;
    taken.nbytes = std::min(limit, joined_bytes() - given_);
    std::memcpy(destination, reinterpret_cast<const std::uint8_t*>(joined_.data()) + given_, taken.nbytes);
    given_ += taken.nbytes;
    taken.end_of_packet = end_of_packet_ && given_ == joined_bytes();
    return taken;
}

}  // namespace gapless
