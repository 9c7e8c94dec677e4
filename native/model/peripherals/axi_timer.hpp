// AXI Timer (PG079): two counters of 32 bits in generate, capture or pulse width modulation mode.
//
// Cascade mode (bit 11 of TCSR0) is left out: the bit stays 0.
#pragma once

#include <array>

#include "model/peripheral.hpp"
#include "model/peripherals/clock.hpp"

namespace gapless {

class AxiTimer final : public Peripheral {
public:
    explicit AxiTimer(std::int64_t hertz) : clock_(hertz) {}

    std::uint32_t read(std::uint32_t offset, Time now) override;
    void write(std::uint32_t offset, std::uint32_t value, Time now) override;
    void step(Time now) override;
    bool steady(std::uint32_t offset) const override;
    void reset(Time now) override;

    // The input capturetrig0 or capturetrig1: its rising edge captures.
    void set_capture(unsigned timer, bool level, Time now);

    Wire pwm0;
    // GenerateOut0 and GenerateOut1: high for one cycle, here for no time.
    std::array<Wire, 2> generate_out;

private:
    struct Counter {
        std::uint32_t control = 0, load = 0;
        // The count at the cycle `since`.
        std::uint32_t value = 0;
        std::int64_t since = 0;
        bool rolled = false;   // it rolled over in the cycle before: it is reloaded, or held, in the next
        bool held = false;     // the interval is over, and it was not to reload
        bool accessed = false;  // the load register was, since the last trigger: a capture may replace its value
        bool trigger = false, trigger_enabled = false;

        bool counts() const;
        bool generates() const;
        std::int64_t cycles_to_roll() const;
        std::uint32_t count(std::int64_t cycle, bool& rolled_over) const;
        void settle(std::int64_t cycle);
        void reload(std::int64_t cycle);
    };

    bool pwm() const;
    void write_control(unsigned index, std::uint32_t value, Time now);
    void expire(unsigned index, std::int64_t cycle, Time now);
    void look_at_trigger(Counter& counter, Time now);
    void schedule();
    void drive(Time now);

    Clock clock_;
    std::array<Counter, 2> counters_;
};

}  // namespace gapless
