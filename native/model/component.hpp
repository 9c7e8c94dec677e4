// What the virtual board is made of: devices with registers, and components that act at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "time.hpp"

namespace gapless {

// A 64-bit value behind two 32-bit registers: write one of its halves.
inline void set_half(std::uint64_t& target, bool upper, std::uint32_t value) {
    const unsigned shift = upper ? 32 : 0;
    target = (target & ~(std::uint64_t{0xFFFFFFFF} << shift)) | std::uint64_t{value} << shift;
}

class Device {
public:
    virtual ~Device() = default;
    virtual std::uint32_t read(std::uint32_t offset, Time now) = 0;
    virtual void write(std::uint32_t offset, std::uint32_t value, Time now) = 0;
    // Whether a write may set a processor going, for which the host has to wait.
    virtual bool stirs() const { return false; }
};

// Something that wants to act at due().
class Component {
public:
    virtual ~Component() = default;
    Time due() const { return due_; }
    // Whoever runs the components keeps the time before which none of them is due in `horizon`.
    void watch(Time& horizon) {
        horizon_ = &horizon;
        set_due(due_);
    }
    // Act at `now` == due(), and set the next due time.
    virtual void step(Time now) = 0;
    // The same where it may take more than a moment, up to `until`, before which nobody else acts. Returns the time
    // of what others have to see.
    virtual Time run(Time now, Time /*until*/) {
        step(now);
        return now;
    }
    // By how much it may be out of step with others of its kind; 0: it never takes more than a moment.
    Time slack() const { return slack_; }
    // Something this component waited for happened.
    virtual void wake(Time now) = 0;

protected:
    explicit Component(Time slack = 0) : slack_(slack) {}
    void set_due(Time due) {
        due_ = due;
        if (horizon_ != nullptr && due < *horizon_) *horizon_ = due;
    }

private:
    const Time slack_;
    Time due_ = never;
    Time* horizon_ = nullptr;
};

// Interrupt lines, or signals, as levels. `changed` tells the machine to look whether somebody waits for one.
class InterruptLines {
public:
    // Lines 0 to 255 are numbered as by the GIC of a ZynqMP; from 1024 on are pins behind an interrupt controller in
    // the PL, which Linux tells apart, too.
    static constexpr int count = 2048;
    using Listener = std::function<void(bool level)>;

    void set(int line, bool level) {
        if (line < 0) return;
        const std::uint64_t bit = std::uint64_t{1} << line % 64;
        std::uint64_t& levels = levels_[static_cast<std::size_t>(line) / 64];
        const std::uint64_t before = levels;
        levels = level ? levels | bit : levels & ~bit;
        if (levels == before) return;
        if (level) changed_ = true;
        for (const auto& [followed, listener] : listeners_)
            if (followed == line) listener(level);
    }
    bool level(unsigned line) const {
        return line < static_cast<unsigned>(count) && (levels_[line / 64] >> line % 64 & 1) != 0;
    }
    // Hears of every change of a line.
    void follow(int line, Listener listener) { listeners_.emplace_back(line, std::move(listener)); }
    // What else somebody may wait for has changed.
    void touch() { changed_ = true; }
    bool take_changed() { return std::exchange(changed_, false); }

private:
    std::array<std::uint64_t, count / 64> levels_{};
    bool changed_ = false;
    std::vector<std::pair<int, Listener>> listeners_;
};

}  // namespace gapless
