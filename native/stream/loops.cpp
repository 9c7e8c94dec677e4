#include "stream/loops.hpp"

#include <algorithm>
#include <cstring>

#include "memory/cache.hpp"

namespace gapless {

namespace {

// PG021, "Register Space" and "Scatter Gather Descriptor".
constexpr std::uint64_t dmacr = 0x00, dmasr = 0x04, curdesc = 0x08, taildesc = 0x10, address_register = 0x18,
                        length_register = 0x28;
constexpr std::uint32_t error_bits = 0x770, interrupt_bits = 0x7000, ioc_irq = 0x1000;
constexpr std::uint32_t descriptor_bytes = 64, complete = 1u << 31, transferred_mask = 0x03FFFFFF;
constexpr std::uint32_t start_of_frame = 1u << 27, end_of_frame = 1u << 26;
constexpr std::size_t buffer_offset = 0x08, control_offset = 0x18, status_offset = 0x1C;

std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

// The lower half goes last where it starts something.
void write_pointer(RegisterBus& bus, const ChannelPort& port, std::uint64_t offset, std::uint64_t value) {
    if (port.wide) bus.write32(port.registers + offset + 4, high(value));
    bus.write32(port.registers + offset, low(value));
}

void store32(std::uint8_t* at, std::uint32_t value) {
    // Descriptors are shared with the engine: one aligned 32-bit access each, never torn, never elided.
    *reinterpret_cast<volatile std::uint32_t*>(at) = value;
}

std::uint32_t load32(const std::uint8_t* at) { return *reinterpret_cast<const volatile std::uint32_t*>(at); }

void write_descriptor(const Ring& ring, const Piece& piece, std::uint64_t index) {
    const Segment& segment = piece.segment;
    std::uint8_t* at = ring.host + index % ring.count * descriptor_bytes;
    const std::uint64_t next = ring.base + (index + 1) % ring.count * descriptor_bytes;
    store32(at, low(next));
    store32(at + 4, high(next));
    store32(at + buffer_offset, low(segment.address));
    store32(at + buffer_offset + 4, high(segment.address));
    store32(at + control_offset, segment.length | (piece.starts_packet ? start_of_frame : 0) |
                                     (piece.ends_packet ? end_of_frame : 0));
    store32(at + status_offset, 0);
    if (ring.access == Access::cached) cache_clean(at, descriptor_bytes);
}

}  // namespace

LoopResult run_direct(RegisterBus& bus, const ChannelPort& port, Feed& feed, const LoopOptions& options,
                      std::atomic<std::uint64_t>& progress) {
    return guarded([&](LoopResult& result) {
        Time completed = bus.now();
        std::uint64_t ready = feed.ready(bus);
        Piece next{};                // piece `index`, where `looked_up`: not between a completion and LENGTH, if possible
        bool looked_up = false;
        std::uint32_t upper = 0;     // of the address register, which keeps what was written
        for (std::uint64_t index = 0;; ++index) {
            bool waited = false;
            while (index >= ready && !feed.closed()) {
                bus.wait({-1, feed.signal()}, never);
                ready = feed.ready(bus);
                waited = true;
            }
            if (index >= ready) return;
            const Segment segment = (looked_up ? next : feed.piece(index)).segment;
            result.address = segment.address;
            bus.write32(port.registers + address_register, low(segment.address));
            if (port.wide && (index == 0 || high(segment.address) != upper)) {
                upper = high(segment.address);
                bus.write32(port.registers + address_register + 4, upper);
            }
            if (index > 0 && options.software_delay > 0)
                bus.sleep_until(completed + options.software_delay - options.start_latency);
            bus.write32(port.registers + length_register, segment.length);
            // The engine is busy: now is the time for the books, and to tell of the piece before.
            if (index > 0) {
                if (!waited) result.rearm_longest = std::max(result.rearm_longest, bus.now() - completed);
                feed.publish(bus);
            }
            looked_up = index + 1 < ready;
            if (looked_up) next = feed.piece(index + 1);

            const bool asserted = bus.wait({static_cast<int>(port.interrupt), -1}, options.timeout);
            completed = bus.now();
            result.status = bus.read32(port.registers + dmasr);
            if ((result.status & error_bits) != 0) {
                result.outcome = Outcome::dma_error;
                return;
            }
            // An interrupt that got lost on its way is no time-out: the status register tells.
            if (!asserted && (result.status & ioc_irq) == 0) {
                result.outcome = Outcome::timeout;
                return;
            }
            const std::uint32_t moved = port.receive ? bus.read32(port.registers + length_register) : segment.length;
            // The acknowledgement is last: whoever finds IOC set knows that the piece was not counted yet.
            bus.write32(port.registers + dmasr, interrupt_bits);
            result.bytes += moved;
            ++result.transfers;
            progress.store(result.bytes, std::memory_order_relaxed);
            feed.moved(bus, moved);
            if (moved < segment.length) return;
            ready = feed.ready(bus);
            if (index + 1 >= ready) feed.publish(bus);
        }
    });
}

LoopResult run_ring(RegisterBus& bus, const ChannelPort& port, const Ring& ring, Feed& feed, std::uint32_t control,
                    const LoopOptions& options, std::atomic<std::uint64_t>& progress) {
    return guarded([&](LoopResult& result) {
        std::uint64_t queued = 0;  // descriptors written
        // Writes descriptors for what is ready, and tells the engine.
        const auto extend = [&] {
            const std::uint64_t until = std::min(feed.ready(bus), result.transfers + ring.count);
            if (queued >= until) return;
            const bool first = queued == 0;
            for (; queued < until; ++queued) write_descriptor(ring, feed.piece(queued), queued);
            std::atomic_thread_fence(std::memory_order_seq_cst);
            if (first) {
                write_pointer(bus, port, curdesc, ring.base);
                bus.write32(port.registers + dmacr, control);
            }
            write_pointer(bus, port, taildesc, ring.base + (queued - 1) % ring.count * descriptor_bytes);
        };

        Time deadline = 0, pause = options.poll;
        for (;;) {
            const bool was_empty = result.transfers == queued;
            extend();
            if (result.transfers == queued) {
                if (feed.closed()) return;
                bus.wait({-1, feed.signal()}, never);
                continue;
            }
            if (was_empty) deadline = bus.now() + options.timeout;
            result.address = ring.base + result.transfers % ring.count * descriptor_bytes;
            const Time left = deadline - bus.now();
            const int signal = queued < result.transfers + ring.count && !feed.closed() ? feed.signal() : -1;
            const bool woken = bus.wait({static_cast<int>(port.interrupt), signal},
                                        options.poll > 0 ? std::min(pause, left) : left);
            if (options.software_delay > 0 && woken) bus.sleep_until(bus.now() + options.software_delay);
            result.status = bus.read32(port.registers + dmasr);
            // Acknowledge first: what completes from here on asserts the line again.
            if ((result.status & interrupt_bits) != 0) bus.write32(port.registers + dmasr, interrupt_bits);
            const std::uint64_t counted = result.transfers;
            bool cut_short = false;
            while (result.transfers < queued && !cut_short) {
                const std::uint8_t* at = ring.host + result.transfers % ring.count * descriptor_bytes;
                // The engine wrote it behind the cache's back. Nothing of the line is dirty: it was cleaned.
                if (ring.access == Access::cached) cache_clean_invalidate(at, descriptor_bytes);
                const std::uint32_t status = load32(at + status_offset);
                if ((status & complete) == 0) break;
                const std::uint32_t moved = status & transferred_mask;
                cut_short = port.receive && moved < load32(at + control_offset) % (transferred_mask + 1);
                result.bytes += moved;
                ++result.transfers;
                feed.moved(bus, moved);
            }
            progress.store(result.bytes, std::memory_order_relaxed);
            if (result.transfers > counted) feed.publish(bus);
            if (cut_short) return;
            if ((result.status & error_bits) != 0) {
                result.outcome = Outcome::dma_error;
                result.address = ring.base + result.transfers % ring.count * descriptor_bytes;
                return;
            }
            if (result.transfers > counted) {
                deadline = bus.now() + options.timeout;
                pause = options.poll;
            } else if (bus.now() >= deadline) {
                result.outcome = Outcome::timeout;
                return;
            } else {
                pause = 2 * pause;
            }
        }
    });
}

}  // namespace gapless
