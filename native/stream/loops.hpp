// The streaming loops: what must not wait for the interpreter. Each runs one DMA channel through a plan.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "memory/access.hpp"
#include "register_bus.hpp"
#include "stream/feed.hpp"

namespace gapless {

enum class Outcome { done, dma_error, timeout, cancelled, bus_fault, io_error };

struct LoopResult {
    Outcome outcome = Outcome::done;
    std::uint32_t status = 0;        // DMASR when it ended
    std::uint64_t transfers = 0;     // pieces moved
    std::uint64_t bytes = 0;         // moved in them
    std::uint64_t address = 0;       // of the piece, or the descriptor, it ended at when not done
    std::string message;             // of a bus fault or an I/O error
    Time rearm_longest = 0;          // bus time from a completion to the start of the next piece (direct mode)
};

// Runs `body(result)`, and turns what a bus throws into an outcome.
template <typename Body>
LoopResult guarded(Body body) {
    LoopResult result;
    try {
        body(result);
    } catch (const Cancelled&) {
        result.outcome = Outcome::cancelled;
    } catch (const BusFault& fault) {
        result.outcome = Outcome::bus_fault;
        result.message = fault.what();
    }
    return result;
}

struct ChannelPort {
    std::uint64_t registers = 0;  // base address of the channel's registers
    unsigned interrupt = 0;
    bool wide = true;             // the instance has the _MSB registers
    bool receive = false;         // S2MM
};

struct LoopOptions {
    Time timeout = picoseconds_per_second;  // for one piece
    // The software is this late at every re-arm: counted from the end of a transfer to the moment the next
    // one's first word can be in the FIFO, so the engine's start-up, `start_latency`, is part of it.
    Time software_delay = 0;
    Time start_latency = 0;
    // Look at the descriptors after this time, too (and less and less often while nothing happens): where no
    // interrupt tells of each one, because it does not end a packet. 0: the interrupts tell.
    Time poll = 0;
};

// Both end early, and well, when a packet ends inside a piece that is received: TLAST came before the piece
// was full.

// Direct mode: one transfer after the other, re-armed from the completion interrupt. The channel runs
// (DMACR.RS) with its interrupts enabled.
LoopResult run_direct(RegisterBus& bus, const ChannelPort& port, Feed& feed, const LoopOptions& options,
                      std::atomic<std::uint64_t>& progress);

// A ring of descriptors in DMA memory: `host` is where software sees it, `base` its physical address.
struct Ring {
    std::uint8_t* host = nullptr;
    std::uint64_t base = 0;
    std::uint32_t count = 0;
    Access access = Access::plain;
};

// Scatter-gather: the ring is filled, started, and extended by its tail while it runs. The channel is
// halted, with its control bits in `control`.
LoopResult run_ring(RegisterBus& bus, const ChannelPort& port, const Ring& ring, Feed& feed, std::uint32_t control,
                    const LoopOptions& options, std::atomic<std::uint64_t>& progress);

}  // namespace gapless
