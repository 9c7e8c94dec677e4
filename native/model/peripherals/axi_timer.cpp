#include "model/peripherals/axi_timer.hpp"

#include <algorithm>

namespace gapless {

namespace {

// TCSR0 is at 0x00, TCSR1 at 0x10 (PG079, "Register Space").
enum Offset : std::uint32_t { tcsr = 0x0, tlr = 0x4, tcr = 0x8, second = 0x10, end = 0x20 };

// Bits of TCSR.
enum Control : std::uint32_t {
    capture_mode = 1u << 0,   // MDT
    down = 1u << 1,           // UDT
    generate = 1u << 2,       // GENT
    capture_input = 1u << 3,  // CAPT
    auto_reload = 1u << 4,    // ARHT
    load_counter = 1u << 5,   // LOAD: while it is 1, the counter has the value of the load register and does not count
    interrupt_enable = 1u << 6,
    enable = 1u << 7,           // ENT
    interrupt_status = 1u << 8,  // TINT: 1 is written to clear it
    pwm_enable = 1u << 9,
    enable_all = 1u << 10,  // the same in both
    written = 0x2FF,        // the bits that become what is written
};

}  // namespace

bool AxiTimer::Counter::counts() const { return (control & enable) != 0 && (control & load_counter) == 0 && !held; }

bool AxiTimer::Counter::generates() const { return counts() && (control & capture_mode) == 0; }

std::int64_t AxiTimer::Counter::cycles_to_roll() const {
    if (rolled) return 0;
    return (control & down) != 0 ? std::int64_t{value} + 1 : (std::int64_t{1} << 32) - value;
}

std::uint32_t AxiTimer::Counter::count(std::int64_t cycle, bool& rolled_over) const {
    rolled_over = rolled;
    if (!counts() || rolled) return value;
    const std::int64_t passed = cycle - since;
    const bool downwards = (control & down) != 0;
    if (generates() && passed >= cycles_to_roll()) {
        rolled_over = true;
        return downwards ? 0xFFFFFFFF : 0;
    }
    const auto steps = static_cast<std::uint32_t>(passed);
    return downwards ? value - steps : value + steps;
}

void AxiTimer::Counter::settle(std::int64_t cycle) {
    bool rolled_over = false;
    value = count(cycle, rolled_over);
    rolled = rolled_over;
    since = cycle;
}

void AxiTimer::Counter::reload(std::int64_t cycle) {
    value = load;
    since = cycle;
    rolled = held = false;
}

bool AxiTimer::pwm() const {
    constexpr std::uint32_t needed = pwm_enable | generate;
    return std::all_of(counters_.begin(), counters_.end(), [](const Counter& counter) {
        return (counter.control & (needed | capture_mode)) == needed;
    });
}

std::uint32_t AxiTimer::read(std::uint32_t offset, Time now) {
    if (offset >= end) return 0;
    Counter& counter = counters_[offset / second];
    switch (offset % second) {
        case tcsr: return counter.control;
        case tlr: counter.accessed = true; return counter.load;
        case tcr: {
            bool rolled_over = false;
            return counter.count(clock_.cycle(now), rolled_over);
        }
        default: return 0;
    }
}

bool AxiTimer::steady(std::uint32_t offset) const {
    if (offset >= end) return true;
    const Counter& counter = counters_[offset / second];
    switch (offset % second) {
        case tlr: return counter.accessed;
        case tcr: return !counter.counts();
        default: return true;
    }
}

void AxiTimer::reset(Time now) {
    for (Counter& counter : counters_) {
        const bool trigger = counter.trigger;
        counter = {};
        counter.trigger = trigger;
    }
    pwm0.drive(false, now);
    schedule();
    drive(now);
}

void AxiTimer::write(std::uint32_t offset, std::uint32_t value, Time now) {
    if (offset >= end) return;
    const unsigned index = offset / second;
    Counter& counter = counters_[index];
    if (offset % second == tlr) {
        counter.load = value;
        counter.accessed = true;
        if ((counter.control & load_counter) != 0) counter.reload(clock_.cycle(now));
    } else if (offset % second == tcsr) {
        write_control(index, value, now);
    }
}

void AxiTimer::write_control(unsigned index, std::uint32_t value, Time now) {
    const std::int64_t cycle = clock_.cycle(now);
    for (Counter& counter : counters_) counter.settle(cycle);

    Counter& counter = counters_[index];
    const std::uint32_t before = counter.control;
    counter.control = (before & interrupt_status & ~value) | (value & written);
    if (((before ^ value) & capture_mode) != 0) counter.held = counter.rolled = false;
    if ((value & load_counter) != 0 || (counter.held && (value & auto_reload) != 0)) counter.reload(cycle);
    // PG079, "Control/Status Register 0": a 1 sets ENALL and both ENT, a 0 clears only ENALL.
    for (Counter& each : counters_) {
        each.control &= ~enable_all;
        if ((value & enable_all) != 0) each.control |= enable_all | enable;
    }
    look_at_trigger(counter, now);
    if (!pwm()) pwm0.drive(false, now);
    schedule();
    drive(now);
}

void AxiTimer::step(Time now) {
    const std::int64_t cycle = clock_.cycle(now);
    for (unsigned i = 0; i < counters_.size(); ++i) {
        const Counter& counter = counters_[i];
        if (counter.generates() && cycle > counter.since + counter.cycles_to_roll()) expire(i, cycle, now);
    }
    schedule();
    drive(now);
}

// The interval is over: TLR + 2 cycles when counting down, 2^32 - 1 - TLR + 2 when counting up (PG079, "Generate Mode"
// and "Register Space", TLR): after the count has rolled over it takes one cycle more to reload.
void AxiTimer::expire(unsigned index, std::int64_t cycle, Time now) {
    Counter& counter = counters_[index];
    counter.settle(cycle);
    counter.control |= interrupt_status;
    if ((counter.control & generate) != 0) {
        generate_out[index].drive(true, now);
        generate_out[index].drive(false, now);
    }
    // PWM: timer 0 is the period, timer 1 the time that the output is high (PG079, "Pulse Width Modulation Mode").
    const bool period = pwm() && index == 0, pulse = pwm() && index == 1;
    if (pulse) {
        // It neither reloads nor stops, but counts on from where it rolled over, until timer 0 reloads it.
        counter.rolled = false;
        counter.since = cycle - 1;
    } else if (period || (counter.control & auto_reload) != 0) {
        counter.reload(cycle);
    } else {
        counter.held = true;
    }
    if (period) counters_[1].reload(cycle);
    if (period || pulse) pwm0.drive(period, now);
}

void AxiTimer::set_capture(unsigned timer, bool level, Time now) {
    Counter& counter = counters_.at(timer);
    counter.trigger = level;
    look_at_trigger(counter, now);
    drive(now);
}

void AxiTimer::look_at_trigger(Counter& counter, Time now) {
    const bool level = counter.trigger && (counter.control & capture_input) != 0;
    const bool rising = level && !counter.trigger_enabled;
    counter.trigger_enabled = level;
    if (!rising) return;
    const bool kept = (counter.control & auto_reload) == 0 && !counter.accessed;
    counter.accessed = false;
    if ((counter.control & capture_mode) == 0) return;
    if ((counter.control & enable) != 0) counter.control |= interrupt_status;
    // PG079, "Control/Status Register 0", ARHT: 0 keeps a capture until it is read.
    if (kept) return;
    bool rolled_over = false;
    counter.load = counter.count(clock_.cycle(now), rolled_over);
}

void AxiTimer::schedule() {
    Time next = never;
    for (const Counter& counter : counters_)
        if (counter.generates()) next = std::min(next, clock_.at(counter.since + counter.cycles_to_roll() + 1));
    set_due(next);
}

void AxiTimer::drive(Time now) {
    constexpr std::uint32_t both = interrupt_status | interrupt_enable;
    interrupt.drive(std::any_of(counters_.begin(), counters_.end(),
                                [](const Counter& counter) { return (counter.control & both) == both; }),
                    now);
}

}  // namespace gapless
