// A streaming loop in a thread of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "stream/loops.hpp"
#include "stream/scheduling.hpp"

namespace gapless {

class Job {
public:
    using Loop = std::function<LoopResult(RegisterBus&, std::atomic<std::uint64_t>&)>;

    // Starts at once, at the time of `parent`, whose thread of control then waits here: see wait().
    Job(std::shared_ptr<RegisterBus> parent, Loop loop, Scheduling scheduling = {})
        : parent_(std::move(parent)),
          bus_(parent_->fork("job")),
          loop_(std::move(loop)),
          scheduling_(scheduling),
          thread_([this] { run(); }) {}
    ~Job() {
        bus_->cancel();
        thread_.join();
    }
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    // Waits at most `seconds` of real time; true when the loop has ended. From the first call until then the
    // parent holds nobody back; it goes on at the moment at which the loop ended, not later: what it does next
    // does not depend on how fast the host woke it.
    bool wait(double seconds) {
        std::unique_lock lock(mutex_);
        if (ended_) {
            parent_->catch_up(bus_->now());
        } else if (!parent_parked_) {
            parent_->park();
            parent_parked_ = true;
        }
        if (!ended_cv_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return ended_; })) return false;
        parent_->now();  // from here on it is at work again
        return true;
    }
    // Who gave up waiting holds the others back again.
    void stop_waiting() {
        std::lock_guard lock(mutex_);
        if (parent_parked_) resume_parent();
    }
    // Ends the loop, and returns when it has ended. The parent is not parked meanwhile: no other loop gets
    // ahead of it.
    void cancel() {
        bus_->cancel();
        std::unique_lock lock(mutex_);
        ended_cv_.wait(lock, [this] { return ended_; });
    }
    bool ended() {
        std::lock_guard lock(mutex_);
        return ended_;
    }
    // What the system refused of the scheduling that was asked; empty when nothing.
    std::string refused() {
        std::lock_guard lock(mutex_);
        return refused_;
    }
    std::uint64_t bytes() const { return progress_.load(std::memory_order_relaxed); }
    LoopResult result() {
        std::lock_guard lock(mutex_);
        return result_;
    }

private:
    void run() {
        {
            std::lock_guard lock(mutex_);
            refused_ = apply(scheduling_);
        }
        LoopResult result = loop_(*bus_, progress_);
        std::lock_guard lock(mutex_);
        result_ = std::move(result);
        ended_ = true;
        if (parent_parked_) resume_parent();
        bus_->park();  // ended: nobody waits for this actor any more
        ended_cv_.notify_all();
    }
    void resume_parent() {
        parent_->resume(bus_->now());
        parent_parked_ = false;
    }

    std::shared_ptr<RegisterBus> parent_, bus_;
    Loop loop_;
    const Scheduling scheduling_;
    std::string refused_;
    std::atomic<std::uint64_t> progress_{0};
    std::mutex mutex_;
    std::condition_variable ended_cv_;
    bool ended_ = false, parent_parked_ = false;
    LoopResult result_;
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace gapless
