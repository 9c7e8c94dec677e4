// Calls somebody about every millisecond of real time, from a thread of its own, until it is destroyed.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "time.hpp"

namespace gapless {

class WallClock {
public:
    // `tick` is told how much time has passed since the call before.
    explicit WallClock(std::function<void(Time)> tick);
    ~WallClock();
    WallClock(const WallClock&) = delete;
    WallClock& operator=(const WallClock&) = delete;

private:
    void loop();

    const std::function<void(Time)> tick_;
    std::mutex mutex_;
    std::condition_variable end_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace gapless
