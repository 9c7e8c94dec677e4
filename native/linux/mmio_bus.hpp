// The register bus of a real board under Linux: mapped registers, interrupts by UIO or by polling, real time.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "linux/interrupt_sources.hpp"
#include "linux/register_windows.hpp"
#include "linux/wakeups.hpp"
#include "register_bus.hpp"

namespace gapless {

// What the buses of a board's threads of control have in common.
struct MmioBoard {
    RegisterWindows windows;
    InterruptSources lines;
    Wakeups wakeups;
};

// Time is CLOCK_MONOTONIC since the first bus of the board was made; a Time counts up to 106 days.
class MmioBus final : public RegisterBus {
public:
    MmioBus();

    void add_window(std::uint64_t base, std::uint64_t size, void* host, std::shared_ptr<void> owner);
    void add_uio_line(unsigned number, int descriptor);
    // The line is up while a bit of `mask` is set in the register at `address`.
    void add_polled_line(unsigned number, std::uint64_t address, std::uint32_t mask);

    std::uint32_t read32(std::uint64_t address) override;
    void write32(std::uint64_t address, std::uint32_t value) override;
    bool try_read32(std::uint64_t address, std::uint32_t& value) override;
    bool try_write32(std::uint64_t address, std::uint32_t value) override;
    // A UIO line that is up needs the time of an interrupt until it shows: a wait of no length may miss it.
    bool wait(Awaited awaited, Time timeout) override;
    Time now() override;
    void sleep_until(Time time) override;
    // Real time passes by itself.
    void spend(Time) override {}

    unsigned add_signal() override { return board_->wakeups.add_signal(); }
    void remove_signal(unsigned signal) override { board_->wakeups.remove_signal(signal); }
    void set_signal(unsigned signal, bool level) override;
    // The threads of a real board take no turns: their locks keep order.
    bool take_turn() override { return !cancelled_; }

    std::shared_ptr<RegisterBus> fork(const std::string& name) override;
    // Nobody is held back.
    void park() override {}
    void resume(Time) override {}
    void catch_up(Time) override {}
    void cancel() override;

private:
    MmioBus(std::shared_ptr<MmioBoard> board, std::int64_t origin) : board_(std::move(board)), origin_(origin) {}
    void check_cancelled() const {
        if (cancelled_) throw Cancelled();
    }
    Time deadline_after(Time timeout);
    bool wait_for_uio(const InterruptSource* line, const Wakeups::Wait& wait, int signal, Time deadline);
    bool wait_for_polled(const InterruptSource& line, const Wakeups::Wait& wait, int signal, Time deadline);

    const std::shared_ptr<MmioBoard> board_;
    const std::int64_t origin_;  // nanoseconds of CLOCK_MONOTONIC
    std::atomic<bool> cancelled_{false};
};

}  // namespace gapless
