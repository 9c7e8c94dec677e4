// The FIFO behind an ADC. It keeps bytes only of what cannot be asked for again: of a source that lasts it keeps
// which stretches of it are inside, and they are read straight into memory when they leave (decision 4).
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "model/analog_source.hpp"

namespace gapless {

class CaptureFifo {
public:
    // What is inside is lost.
    void reset(std::uint32_t depth);
    std::uint32_t level() const { return held_ + promised_; }
    // Bytes [position, position + nbytes) of the source enter; there is room.
    void push(AnalogSource& source, std::uint64_t position, std::uint64_t nbytes);
    // The oldest `nbytes` leave; they are there.
    void pop(AnalogSource& source, std::uint8_t* destination, std::uint32_t nbytes);
    // The source goes: what is still to be read from it is read now.
    void keep(AnalogSource& source);

private:
    struct Stretch {
        std::uint64_t position, nbytes;
    };
    void store(AnalogSource& source, std::uint64_t position, std::uint64_t nbytes);

    std::uint32_t depth_ = 0;
    std::vector<std::uint8_t> bytes_;  // a ring, made when it is needed; what is in it is older than any stretch
    std::uint32_t read_ = 0, held_ = 0;
    std::deque<Stretch> stretches_;
    std::uint32_t promised_ = 0;  // bytes in the stretches
};

}  // namespace gapless
