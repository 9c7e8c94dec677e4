// A soft processor subsystem as PYNQ builds it, the "IOP": a MicroBlaze, local memory that the host shares, a window
// to the board's memory, and peripherals of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "microblaze/cpu.hpp"
#include "model/address_space.hpp"
#include "model/execution_log.hpp"
#include "model/findings.hpp"
#include "model/peripheral.hpp"

namespace gapless {

// What the processors of a board share.
class Iop;
struct IopWorld {
    AddressSpace& memory;
    Findings& findings;
    InterruptLines& lines;  // touched when one settles: somebody may wait for that
    Iop*& stirred;          // the one that the host's present access set going
};

struct IopConfig {
    std::string name;
    microblaze::Config cpu;
    std::uint32_t local_bytes = 64 << 10;  // a power of two
    Time cycle = 10'000;                   // 100 MHz
    std::uint32_t window_base = 0x20000000, window_bytes = 512U << 20;
    std::uint64_t window_physical = 0;
    std::uint32_t memory_cycles = 20, peripheral_cycles = 8;
};

// To the host's bus it is its local memory. It executes from the release of its reset on; time is the machine's.
class Iop final : public Device, public Component, private microblaze::DataBus {
public:
    Iop(IopConfig config, IopWorld world);

    // ---- assembly ----
    void add_peripheral(std::uint32_t base, std::shared_ptr<Peripheral> peripheral);
    void set_interrupt(bool level);
    // Its wire to the host changed: the host has to look at once.
    void call_host() { calls_host_ = true; }

    // ---- the host's side ----
    std::uint32_t read(std::uint32_t offset, Time now) override;
    void write(std::uint32_t offset, std::uint32_t value, Time now) override;
    bool stirs() const override { return state_ != State::held; }
    // The reset line: the processor and its peripherals; local memory keeps what it has.
    void hold(bool held, Time now);

    // Whether it does nothing that will not go on for ever: it is in reset, waits for somebody, or has stopped
    // with a fault. One that waits for a peripheral at work has something to do.
    bool settled() const { return state_ != State::running && !(state_ == State::settled && awaits_peripheral_); }
    // How long the host waits for it to settle after it was stirred.
    Time patience() const;
    // It did not settle in that time: until it does, the host hardly waits any more.
    void lose_patience() { restless_ = true; }

    // ---- as a component ----
    Time run(Time now, Time until) override;
    void step(Time now) override { run(now, now); }
    void wake(Time now) override;

    // ---- the bench ----
    const std::string& name() const { return config_.name; }
    const microblaze::Cpu& cpu() const { return cpu_; }
    std::uint32_t local_bytes() const { return config_.local_bytes; }
    const char* state_name() const;
    bool faulted() const { return state_ == State::faulted; }
    // It takes notice of what the host does so much later, and the host does not wait for it.
    void set_lag(Time lag) { lag_ = lag; }
    Time lag() const { return lag_; }
    void observe(std::shared_ptr<ExecutionLog> log) { log_ = std::move(log); }

private:
    enum class State { held, running, settled, faulted };
    struct Mapping {
        std::uint32_t base;
        std::shared_ptr<Peripheral> peripheral;
    };
    static constexpr std::uint32_t peripheral_window = 0x10000;

    microblaze::Reply load(std::uint32_t address, unsigned nbytes, std::uint32_t& value,
                           std::uint64_t cycle) override;
    microblaze::Reply store(std::uint32_t address, unsigned nbytes, std::uint32_t value,
                            std::uint64_t cycle) override;
    const char* reason() const override { return reason_.c_str(); }

    // Host memory behind a place in the window; nullptr where nothing answers, or, with a reason, for a store
    // outside every buffer.
    std::uint8_t* memory_at(std::uint32_t address, unsigned nbytes, bool store, std::uint64_t cycle);
    microblaze::Stop execute(std::uint64_t until);
    Peripheral* decode(std::uint32_t address, std::uint32_t& offset) const;
    Time time_of(std::uint64_t cycle) const { return static_cast<Time>(cycle) * config_.cycle; }
    // The first that begins at `time` or later.
    std::uint64_t cycle_at(Time time) const {
        return static_cast<std::uint64_t>((time + config_.cycle - 1) / config_.cycle);
    }
    void step_peripherals(Time now);
    Peripheral* next_peripheral() const;
    void stir(Time now);
    void catch_up(Time now);
    void settle(State state);
    void schedule(Time now);

    const IopConfig config_;
    const IopWorld world_;
    std::vector<std::uint64_t> local_;  // as 64-bit words: aligned
    microblaze::Cpu cpu_;
    std::vector<Mapping> mappings_;
    Time peripherals_due_ = never;  // none of them acts before
    State state_ = State::held;
    bool restless_ = false, calls_host_ = false;
    // What it loads from in the loop in which it waits, and whether that was looked at alone.
    bool reads_memory_ = false, reads_peripherals_ = false, confirming_ = false;
    bool awaits_peripheral_ = false;
    Time lag_ = 0;
    std::string reason_;
    std::shared_ptr<ExecutionLog> log_;
    std::uint64_t generation_ = 0;  // of what was found out about memory
};

}  // namespace gapless
