// What an SPI master talks to.
#pragma once

#include <cstdint>

namespace gapless {

class SpiTarget {
public:
    virtual ~SpiTarget() = default;
    virtual void select(bool /*selected*/) {}
    // One byte in each direction, the first bit on the wire in bit 7.
    virtual std::uint8_t exchange(std::uint8_t byte) = 0;
};

}  // namespace gapless
