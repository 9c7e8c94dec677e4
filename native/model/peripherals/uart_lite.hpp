// AXI UART Lite (PG142): 8 data bits, no parity, one stop bit, two FIFOs of 16 bytes.
//
// A read of the empty receive FIFO and a write to the full transmit FIFO end with a bus error in hardware; here the
// first gives 0 and the second does nothing. The transmit FIFO lets go of a byte with its stop bit, not before it.
// What is on its way to the receiver when it is reset still arrives.
#pragma once

#include <deque>
#include <vector>

#include "model/peripheral.hpp"
#include "model/peripherals/clock.hpp"
#include "model/peripherals/fifo.hpp"

namespace gapless {

class UartLite final : public Peripheral {
public:
    UartLite(std::int64_t hertz, std::int64_t baud);

    std::uint32_t read(std::uint32_t offset, Time now) override;
    void write(std::uint32_t offset, std::uint32_t value, Time now) override;
    void step(Time now) override;
    bool steady(std::uint32_t offset) const override;
    void reset(Time now) override;

    // Bytes for the receiver: they arrive one after the other at the baud rate.
    void put(const std::uint8_t* bytes, std::size_t count, Time now);
    // What was sent since the last call.
    std::vector<std::uint8_t> take();
    std::int64_t cycles_per_byte() const { return cycles_per_byte_; }

private:
    void pulse(Time now);
    void schedule();

    static constexpr std::size_t depth = 16;

    Clock clock_;
    std::int64_t cycles_per_byte_;
    Fifo<std::uint8_t> transmit_{depth}, receive_{depth};
    std::deque<std::uint8_t> arriving_;
    std::vector<std::uint8_t> sent_;
    Time sent_at_ = never, arrives_at_ = never;
    bool overrun_ = false, interrupt_enabled_ = false;
};

}  // namespace gapless
