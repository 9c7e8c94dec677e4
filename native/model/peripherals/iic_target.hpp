// What an IIC master talks to.
#pragma once

#include <cstdint>

namespace gapless {

class IicTarget {
public:
    virtual ~IicTarget() = default;
    // A start, or repeated start, with this target's address. False: not acknowledged.
    virtual bool start(bool reading) = 0;
    // False: not acknowledged.
    virtual bool write(std::uint8_t byte) = 0;
    virtual std::uint8_t read() = 0;
    virtual void stop() {}
};

}  // namespace gapless
