#include "model/capture_fifo.hpp"

#include <algorithm>

#include "model/ring_copy.hpp"

namespace gapless {

void CaptureFifo::reset(std::uint32_t depth) {
    depth_ = depth;
    read_ = held_ = promised_ = 0;
    stretches_.clear();
}

void CaptureFifo::push(AnalogSource& source, std::uint64_t position, std::uint64_t nbytes) {
    if (!source.lasts()) {
        store(source, position, nbytes);
        return;
    }
    if (!stretches_.empty() && stretches_.back().position + stretches_.back().nbytes == position)
        stretches_.back().nbytes += nbytes;
    else
        stretches_.push_back({position, nbytes});
    promised_ += static_cast<std::uint32_t>(nbytes);
}

void CaptureFifo::store(AnalogSource& source, std::uint64_t position, std::uint64_t nbytes) {
    bytes_.resize(depth_);
    while (nbytes > 0) {
        const std::size_t at = (std::size_t{read_} + held_) % bytes_.size();
        const auto take = static_cast<std::uint32_t>(std::min<std::uint64_t>(nbytes, bytes_.size() - at));
        source.read(position, take, &bytes_[at]);
        held_ += take;
        position += take;
        nbytes -= take;
    }
}

void CaptureFifo::pop(AnalogSource& source, std::uint8_t* destination, std::uint32_t nbytes) {
    const std::uint32_t stored = std::min(nbytes, held_);
    if (stored > 0) {
        copy_out(bytes_, read_, destination, stored);
        read_ = static_cast<std::uint32_t>((std::size_t{read_} + stored) % bytes_.size());
        held_ -= stored;
    }
    for (std::uint32_t done = stored; done < nbytes;) {
        Stretch& oldest = stretches_.front();
        const auto take = static_cast<std::uint32_t>(std::min<std::uint64_t>(nbytes - done, oldest.nbytes));
        source.read(oldest.position, take, destination + done);
        oldest.position += take;
        oldest.nbytes -= take;
        promised_ -= take;
        done += take;
        if (oldest.nbytes == 0) stretches_.pop_front();
    }
}

void CaptureFifo::keep(AnalogSource& source) {
    for (const Stretch& stretch : stretches_) store(source, stretch.position, stretch.nbytes);
    stretches_.clear();
    promised_ = 0;
}

}  // namespace gapless
