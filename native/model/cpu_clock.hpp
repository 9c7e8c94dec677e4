// The CPU time that software spends between two accesses, for the measured clock: a slower processor takes
// `slowdown` times as long for the same work. What the models cost the host is inside the accesses, and not in it.
#pragma once

#include <time.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <thread>

#include "time.hpp"

namespace gapless {

class CpuClock {
public:
    // When a thread was last seen. Threads may share one; who comes second has done nothing yet.
    struct Mark {
        std::atomic<std::size_t> thread{0};
        std::atomic<Time> time{0};
    };

    // 0: software takes no time.
    explicit CpuClock(double slowdown) : slowdown_(slowdown) {
        if (slowdown_ <= 0) return;
        // Asking is not the software's work: the least it takes is taken off.
        Time least = never;
        for (int i = 0; i < 100; ++i) {
            const Time before = thread_time();
            least = std::min(least, thread_time() - before);
        }
        asking_ = least;
    }

    bool counts() const { return slowdown_ > 0; }
    void start(Mark& mark) const {
        if (slowdown_ <= 0) return;
        mark.thread = this_thread();
        mark.time = thread_time();
    }
    Time since(const Mark& mark) const {
        if (slowdown_ <= 0 || mark.thread != this_thread()) return 0;
        const Time spent = std::max<Time>(0, thread_time() - mark.time - asking_);
        return static_cast<Time>(std::llround(static_cast<double>(spent) * slowdown_));
    }

private:
    static std::size_t this_thread() { return std::hash<std::thread::id>{}(std::this_thread::get_id()); }
    static Time thread_time() {
        timespec now{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return now.tv_sec * picoseconds_per_second + now.tv_nsec * Time{1000};
    }

    const double slowdown_;
    Time asking_ = 0;
};

}  // namespace gapless
