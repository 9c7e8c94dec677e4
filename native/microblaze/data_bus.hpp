// What a MicroBlaze reaches besides its local memory.
#pragma once

#include <cstdint>

namespace gapless::microblaze {

// How a load or a store ended.
struct Reply {
    enum class Kind : std::uint8_t {
        okay,
        error,    // nobody answered, or with an error: the bus exception, or a fault
        refused,  // the board does not let this happen: a fault whatever exceptions there are; see DataBus::reason()
    };
    Kind kind = Kind::okay;
    // Of a load: the next one gives the same, with no side effect, until somebody but this processor does something.
    bool steady = true;
    // run() returns after this instruction: others have to see what it did before time goes on.
    bool yield = false;
    std::uint32_t cycles = 1;  // what the access took, in all
};

class DataBus {
public:
    virtual ~DataBus() = default;
    // `nbytes` is 1, 2 or 4 and `address` a multiple of it; `value` is right-aligned, in the byte order of memory
    // (little-endian). `cycle`: when.
    virtual Reply load(std::uint32_t address, unsigned nbytes, std::uint32_t& value, std::uint64_t cycle) = 0;
    virtual Reply store(std::uint32_t address, unsigned nbytes, std::uint32_t value, std::uint64_t cycle) = 0;
    // Why the last access was refused.
    virtual const char* reason() const { return "refused"; }
};

}  // namespace gapless::microblaze
