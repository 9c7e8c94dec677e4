#include "model/wall_clock.hpp"

#include <chrono>

namespace gapless {

WallClock::WallClock(std::function<void(Time)> tick) : tick_(std::move(tick)), thread_([this] { loop(); }) {}

WallClock::~WallClock() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    end_.notify_all();
    thread_.join();
}

void WallClock::loop() {
    using Clock = std::chrono::steady_clock;
    Clock::time_point last = Clock::now();
    std::unique_lock lock(mutex_);
    while (!end_.wait_for(lock, std::chrono::milliseconds(1), [this] { return ending_; })) {
        lock.unlock();
        const Clock::time_point now = Clock::now();
        tick_(std::chrono::duration_cast<std::chrono::nanoseconds>(now - last).count() * Time{1000});
        last = now;
        lock.lock();
    }
}

}  // namespace gapless
