// The stream ports of a user's IP: an input takes what an MM2S sends at a rate and hands it on in pieces, an output
// gives pieces to an S2MM at a rate.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "model/port.hpp"
#include "model/stream.hpp"

namespace gapless {

// A packet, or a part of one.
struct IpPiece {
    std::vector<std::uint8_t> data;
    bool last;  // it ends with TLAST
};

// What the ports ask of, and tell, the IP that they belong to.
class IpStreams {
public:
    virtual ~IpStreams() = default;
    // Whether its inputs may take anything: not while an output is full.
    virtual bool takes() const = 0;
    // It has stopped for good: the transfers of its streams fail.
    virtual bool broken() const = 0;
    // What takes() depends on, or what a port has, is no more what it was.
    virtual void stirred(Time now) = 0;
    // It cannot go on.
    virtual void stop(const std::string& why, Time now) = 0;
};

class IpInput final : public StreamSink {
public:
    explicit IpInput(IpStreams& ip) : ip_(ip) {}

    std::optional<Time> push(const Burst& burst, Component& producer) override;
    bool broken() const override { return ip_.broken(); }

    // Bytes per second; 0: as fast as they come.
    void set_rate(double rate);
    // Hand on `chunk` bytes at a time, and what is left at TLAST; 0: whole packets.
    void set_chunk(std::size_t chunk) { chunk_ = chunk; }
    // Of a packet it keeps so many bytes at most; with more the IP stops.
    void set_longest(std::size_t longest) { longest_ = longest; }
    void set_ready(bool ready, Time now);

    // When the next piece has come in; never where it may not be handed on.
    Time due() const;
    IpPiece take();
    // The producer, if it waits, tries again: where it may go on, or `anyway`.
    void wake_producer(Time now, bool anyway = false);

private:
    struct Arrived {
        IpPiece piece;
        Time when;
    };
    void cut(bool last, Time when);

    IpStreams& ip_;
    std::optional<Port> pace_;
    std::size_t chunk_ = 0, longest_ = std::size_t{1} << 28;
    bool ready_ = true;
    std::vector<std::uint8_t> filling_;
    std::deque<Arrived> arrived_;
    Component* producer_ = nullptr;  // waits until something is taken again
};

class IpOutput final : public StreamSource {
public:
    explicit IpOutput(IpStreams& ip) : ip_(ip) {}

    Pull pull(Time now, std::uint8_t* destination, std::uint32_t limit, Cause late_cause,
              Component& consumer) override;
    bool broken() const override { return ip_.broken(); }

    // Bytes per second; 0: all of a piece at once.
    void set_rate(double rate);
    // It is full with so many bytes; what is sent then still goes in.
    void set_depth(std::size_t depth, Time now);
    // Its first byte leaves at `when` or later: pieces leave in the order in which they were sent.
    void send(IpPiece piece, Time when, Time now);

    std::size_t pending() const { return pending_; }
    bool full() const { return pending_ >= depth_; }
    void wake_consumer(Time now);

private:
    struct Leaving {
        IpPiece piece;
        Time start;
        std::int64_t rate;
        std::size_t taken;
        Time at(std::size_t nbytes) const;  // so many have left
    };

    IpStreams& ip_;
    std::int64_t rate_ = 0;
    std::size_t depth_ = 1 << 16;
    std::size_t pending_ = 0;
    Time free_at_ = 0;  // the last piece has left
    std::deque<Leaving> leaving_;
    Component* consumer_ = nullptr;  // waits for data
};

}  // namespace gapless
