#include "model/analog_source.hpp"

#include <algorithm>
#include <cstring>

#include "samples/kernels.hpp"

namespace gapless {

void CounterSource::read(std::uint64_t position, std::uint32_t nbytes, std::uint8_t* destination) {
    static const Kernels& kernels = *available_kernels().back();
    auto value = static_cast<std::uint16_t>(position / 2);
    if (reinterpret_cast<std::uintptr_t>(destination) % 2 == 0) {
        kernels.counter(reinterpret_cast<std::int16_t*>(destination), nbytes / 2, static_cast<std::int16_t>(value));
        return;
    }
    for (std::uint32_t i = 0; i + 1 < nbytes; i += 2, ++value) {
        destination[i] = static_cast<std::uint8_t>(value);
        destination[i + 1] = static_cast<std::uint8_t>(value >> 8);
    }
}

void WaveformSource::read(std::uint64_t position, std::uint32_t nbytes, std::uint8_t* destination) {
    while (nbytes > 0) {
        const std::size_t at = position % samples_.size();
        const auto take = static_cast<std::uint32_t>(std::min<std::size_t>(nbytes, samples_.size() - at));
        std::memcpy(destination, &samples_[at], take);
        destination += take;
        position += take;
        nbytes -= take;
    }
}

}  // namespace gapless
