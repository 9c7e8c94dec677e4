// AXI4-Stream between an engine and what it feeds or drains, one memory burst at a time.
#pragma once

#include <cstdint>
#include <optional>

#include "model/component.hpp"
#include "time.hpp"

namespace gapless {

// Why samples are missing.
enum class Cause : std::uint32_t { none = 0, late = 1, bandwidth = 2, stalled = 3, partial_word = 4, descriptor = 5 };

// A burst on its way into a sink, offered at `now`: its first word can enter at `first`, its last at
// `last`, the others evenly in between. `late_cause` is why the sink may have run dry before it.
struct Burst {
    Time now, first, last;
    const std::uint8_t* data;
    std::uint32_t nbytes;
    bool end_of_packet;
    Cause late_cause;
};

class StreamSink {
public:
    virtual ~StreamSink() = default;
    // The time at which the last word entered, or nothing while there is no room: then `producer` is
    // woken when there is.
    virtual std::optional<Time> push(const Burst& burst, Component& producer) = 0;
    // A burst larger than this is never accepted, however empty the sink is.
    virtual std::uint32_t largest_burst() const { return UINT32_MAX; }
    // It will never take anything again: the transfer fails.
    virtual bool broken() const { return false; }
};

struct Pull {
    std::uint32_t nbytes = 0;    // taken, when not 0
    bool end_of_packet = false;  // the last byte taken had TLAST
    Time when = never;           // nothing taken: try again then, or when woken
};

class StreamSource {
public:
    virtual ~StreamSource() = default;
    // Take up to `limit` bytes, never across TLAST.
    virtual Pull pull(Time now, std::uint8_t* destination, std::uint32_t limit, Cause late_cause,
                      Component& consumer) = 0;
    // It will never give anything again: the transfer fails.
    virtual bool broken() const { return false; }
};

}  // namespace gapless
