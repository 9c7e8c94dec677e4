// What a loop moves: all known from the start, or handed in while it runs.
#pragma once

#include <cstdint>
#include <memory>

#include "register_bus.hpp"
#include "stream/segments.hpp"

namespace gapless {

struct Piece {
    Segment segment;
    bool starts_packet, ends_packet;
};

// Pieces by number, from 0 when the loop starts. Called by the loop's thread.
class Feed {
public:
    virtual ~Feed() = default;
    // Pieces that can be moved by now.
    virtual std::uint64_t ready(RegisterBus& bus) = 0;
    // Whether there will be no more than the last ready() said.
    virtual bool closed() const = 0;
    virtual Piece piece(std::uint64_t index) const = 0;
    // The next piece in order was moved, `nbytes` of it.
    virtual void moved(RegisterBus& bus, std::uint32_t nbytes) = 0;
    // Those who wait for moved() may look.
    virtual void publish(RegisterBus& bus) = 0;
    // Is up when ready() or closed() may have something new; -1: they never have.
    virtual int signal() const = 0;
};

class PlanFeed final : public Feed {
public:
    explicit PlanFeed(const Plan& plan) : plan_(plan) {}
    std::uint64_t ready(RegisterBus&) override { return plan_.size(); }
    bool closed() const override { return true; }
    Piece piece(std::uint64_t index) const override {
        return {plan_.at(index), plan_.starts_packet(index), plan_.ends_packet(index)};
    }
    void moved(RegisterBus&, std::uint32_t) override {}
    void publish(RegisterBus&) override {}
    int signal() const override { return -1; }

private:
    const Plan& plan_;
};

}  // namespace gapless
