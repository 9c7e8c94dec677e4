// How long software takes from seeing a direct-mode transfer complete to starting the next one.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "register_bus.hpp"

namespace gapless {

// Passes every access on. The watch starts when the first DMASR read of a transfer that shows Idle or IOC has
// returned, and stops when the write to LENGTH is entered: what lies between is the software's own, with the
// accesses it has to make. A native loop calls these methods through
// RegisterBus, the C loop through its table, where the call is not virtual: one indirect call each.
class Stopwatch final : public RegisterBus {
public:
    Stopwatch(RegisterBus& bus, std::uint64_t registers) : bus_(bus), status_(registers + 0x04), length_(registers + 0x28) {}

    std::uint32_t read32(std::uint64_t address) override {
        const std::uint32_t value = bus_.read32(address);
        if (address == status_ && state_ == State::moving && (value & (idle | ioc_irq)) != 0) {
            state_ = State::complete;
            seen_ = Clock::now();
        }
        return value;
    }
    void write32(std::uint64_t address, std::uint32_t value) override {
        if (address == length_) {
            if (state_ == State::complete) rearms_.push_back((Clock::now() - seen_).count());
            state_ = State::moving;
        }
        bus_.write32(address, value);
    }
    bool wait(Awaited awaited, Time timeout) override { return bus_.wait(awaited, timeout); }
    Time now() override { return bus_.now(); }
    void sleep_until(Time time) override { bus_.sleep_until(time); }
    void spend(Time time) override { bus_.spend(time); }
    unsigned add_signal() override { return bus_.add_signal(); }
    void remove_signal(unsigned signal) override { bus_.remove_signal(signal); }
    void set_signal(unsigned signal, bool level) override { bus_.set_signal(signal, level); }
    bool take_turn() override { return bus_.take_turn(); }
    std::shared_ptr<RegisterBus> fork(const std::string& name) override { return bus_.fork(name); }
    void park() override { bus_.park(); }
    void resume(Time time) override { bus_.resume(time); }
    void catch_up(Time time) override { bus_.catch_up(time); }
    void cancel() override { bus_.cancel(); }

    // Where the durations go: room for them is made before, so that nothing is allocated meanwhile.
    void begin(std::size_t transfers) {
        rearms_.clear();
        rearms_.reserve(transfers);
        state_ = State::idle;
    }
    // What was measured since begin(), in seconds, less what it takes to read the clock.
    double typical() {
        const double measured = middle_mean(rearms_);
        std::vector<Clock::rep> readings;
        for (int i = 0; i < 1000; ++i) {
            const auto before = Clock::now();
            readings.push_back((Clock::now() - before).count());
        }
        return (measured - middle_mean(readings)) * Clock::period::num / Clock::period::den;
    }
    std::size_t count() const { return rearms_.size(); }

private:
    using Clock = std::chrono::steady_clock;
    enum class State { idle, moving, complete };
    // A clock that ticks every 10 ns has no finer median.
    static double middle_mean(std::vector<Clock::rep>& figures) {
        std::sort(figures.begin(), figures.end());
        const auto first = figures.begin() + static_cast<std::ptrdiff_t>(figures.size() / 4);
        const auto last = figures.end() - static_cast<std::ptrdiff_t>(figures.size() / 4);
        return std::accumulate(first, last, 0.0) / static_cast<double>(last - first);
    }
    static constexpr std::uint32_t idle = 1u << 1, ioc_irq = 1u << 12;

    RegisterBus& bus_;
    const std::uint64_t status_, length_;
    State state_ = State::idle;
    Clock::time_point seen_;
    std::vector<Clock::rep> rearms_;
};

// Registers in plain memory, where every transfer is complete at once: what is left is the software's cost.
class PlainRegisters final : public RegisterBus {
public:
    explicit PlainRegisters(std::uint64_t base) : base_(base) {}

    std::uint32_t read32(std::uint64_t address) override { return registers_[(address - base_) / 4]; }
    void write32(std::uint64_t address, std::uint32_t value) override {
        const std::uint64_t index = (address - base_) / 4;
        if (index != 1) registers_[index] = value;
    }
    bool wait(Awaited, Time) override { return true; }
    Time now() override { return 0; }
    void sleep_until(Time) override {}
    void spend(Time) override {}
    unsigned add_signal() override { return 0; }
    void remove_signal(unsigned) override {}
    void set_signal(unsigned, bool) override {}
    bool take_turn() override { return true; }
    std::shared_ptr<RegisterBus> fork(const std::string&) override { return nullptr; }
    void park() override {}
    void resume(Time) override {}
    void catch_up(Time) override {}
    void cancel() override {}

private:
    const std::uint64_t base_;
    volatile std::uint32_t registers_[16] = {0, 0x1002};  // DMASR: running, Idle, IOC
};

}  // namespace gapless
