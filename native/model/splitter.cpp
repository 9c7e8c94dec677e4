#include "model/splitter.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gapless {

Splitter::Splitter(std::vector<Dac*> dacs)
    : PairMonitor({dacs.begin(), dacs.end()}),
      dacs_(std::move(dacs)),
      kernels_(*available_kernels().back()),
      shares_(dacs_.size()) {}

bool Splitter::watched() const {
    return std::any_of(dacs_.begin(), dacs_.end(), [](const Dac* dac) { return dac->watched(); });
}

std::optional<Time> Splitter::push(const Burst& burst, Component& producer) {
    const auto count = static_cast<std::uint32_t>(dacs_.size());
    const auto held = static_cast<std::uint32_t>(held_.size());
    // Whole words go on; TLAST also sends a partial one. A frame it leaves incomplete is dropped, because a
    // DAC that got its part would be one sample ahead from then on.
    const std::uint32_t unit = count * (burst.end_of_packet ? 2 : dacs_.front()->beat_bytes());
    const std::uint32_t whole = (held + burst.nbytes) / unit * unit;

    Burst share = burst;
    share.nbytes = whole / count;
    bool room = true;
    for (Dac* dac : dacs_) room = dac->has_room(share.nbytes, producer) && room;  // each has to know who waits
    if (!room) return std::nullopt;

    Time accepted = burst.last;
    if (whole > 0) {
        const bool look = watched();
        if (look) separate(burst.data, whole);
        for (std::uint32_t k = 0; k < count; ++k) {
            share.data = look ? reinterpret_cast<const std::uint8_t*>(shares_[k].data()) : nullptr;
            accepted = std::max(accepted, *dacs_[k]->push(share, producer));
        }
        held_.clear();
    }
    if (burst.end_of_packet)
        held_.clear();
    else if (whole < held + burst.nbytes)
        held_.insert(held_.end(), burst.data + (whole == 0 ? 0 : whole - held), burst.data + burst.nbytes);
    return accepted;
}

// The first `nbytes` of what is held and `data` after it, as one share for each DAC.
void Splitter::separate(const std::uint8_t* data, std::uint32_t nbytes) {
    const std::size_t frames = nbytes / (2 * dacs_.size());
    frames_.resize(nbytes / 2);
    auto* bytes = reinterpret_cast<std::uint8_t*>(frames_.data());
    const std::size_t held = std::min<std::size_t>(held_.size(), nbytes);
    std::copy_n(held_.begin(), held, bytes);
    std::memcpy(bytes + held, data, nbytes - held);
    std::int16_t* shares[8];
    for (std::size_t k = 0; k < shares_.size(); ++k) {
        shares_[k].resize(frames);
        shares[k] = shares_[k].data();
    }
    kernels_.deinterleave(shares, frames_.data(), shares_.size(), frames);
}

}  // namespace gapless
