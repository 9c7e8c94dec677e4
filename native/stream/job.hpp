// A streaming loop in a thread of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "stream/loops.hpp"

namespace gapless {

class Job {
public:
    using Loop = std::function<LoopResult(RegisterBus&, std::atomic<std::uint64_t>&)>;

    // Starts at once, at the time of `parent`, whose thread of control then waits here: see wait().
    Job(std::shared_ptr<RegisterBus> parent, Loop loop)
        : parent_(std::move(parent)), bus_(parent_->fork("job")), loop_(std::move(loop)), thread_([this] { run(); }) {}
    ~Job() {
        cancel();
        thread_.join();
    }
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    // Waits at most `seconds` of real time; true when the loop has ended. Meanwhile the parent holds
    // nobody back.
    bool wait(double seconds) {
        parent_->park();
        std::unique_lock lock(mutex_);
        const bool ended = ended_cv_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return ended_; });
        lock.unlock();
        if (ended) parent_->resume();
        return ended;
    }
    void cancel() { bus_->cancel(); }
    bool ended() {
        std::lock_guard lock(mutex_);
        return ended_;
    }
    std::uint64_t bytes() const { return progress_.load(std::memory_order_relaxed); }
    LoopResult result() {
        std::lock_guard lock(mutex_);
        return result_;
    }

private:
    void run() {
        LoopResult result = loop_(*bus_, progress_);
        bus_->park();  // ended: nobody waits for this actor any more
        std::lock_guard lock(mutex_);
        result_ = std::move(result);
        ended_ = true;
        ended_cv_.notify_all();
    }

    std::shared_ptr<RegisterBus> parent_, bus_;
    Loop loop_;
    std::atomic<std::uint64_t> progress_{0};
    std::mutex mutex_;
    std::condition_variable ended_cv_;
    bool ended_ = false;
    LoopResult result_;
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace gapless
