// Blocks of DMA memory that go round between an engine and whoever fills or empties them.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "stream/feed.hpp"

namespace gapless {

// `count` blocks side by side in memory. The user has each of them at first; give() hands one to the engine, take()
// returns the oldest that the engine is done with. Every method is called at the caller's own bus time (see
// RegisterBus::take_turn), so that on a virtual board the order of things does not depend on the host.
class BlockQueue final : public Feed {
public:
    struct Taken {
        enum class State { block, nothing, ended } state;
        std::uint32_t block = 0;
        std::uint32_t nbytes = 0;    // that were moved
        std::uint64_t number = 0;  // of this use of a block, in the order given
    };
    // In blocks with the engine, as seen whenever one is done; `late`: how often the engine had none to go on with.
    struct Marks {
        std::uint64_t low = 0, high = 0, late = 0;
    };

    // `limit`: close by itself after so many were given, and keep what is given later; 0: never.
    BlockQueue(std::shared_ptr<RegisterBus> bus, std::uint64_t base, std::uint32_t stride, std::uint32_t count,
               std::uint64_t limit);
    ~BlockQueue() override;
    BlockQueue(const BlockQueue&) = delete;
    BlockQueue& operator=(const BlockQueue&) = delete;

    // ---- the user's side ----
    void give(RegisterBus& bus, std::uint32_t block, std::uint32_t nbytes);
    // Waits for a block at most `timeout`; `ended`: there will be none any more.
    Taken take(RegisterBus& bus, Time timeout);
    // Nothing more will be given.
    void close(RegisterBus& bus);
    // Nothing more will be moved.
    void end(RegisterBus& bus);
    // After end(), and when no loop has it any more: give the signals back, which a board has few of.
    void retire();
    // The engine has moved so many since the loop began that counted them; some of them the loop did not see.
    void settle(std::uint64_t pieces);

    std::uint64_t given() const;
    std::uint64_t done() const;
    Marks marks() const;

    // ---- the loop's side ----
    // A loop begins, or begins again: its piece 0 is the first block that is not done.
    void begin();
    std::uint64_t ready(RegisterBus& bus) override;
    bool closed() const override { return closed_seen_; }
    Piece piece(std::uint64_t index) const override;
    void moved(RegisterBus& bus, std::uint32_t nbytes) override;
    void publish(RegisterBus& bus) override;
    int signal() const override { return static_cast<int>(given_signal_); }

private:
    struct Use {
        std::uint32_t block, nbytes;
    };
    bool is_closed() const { return closing_ || (limit_ != 0 && given_ >= limit_); }
    void finish_one(std::uint32_t nbytes);

    const std::shared_ptr<RegisterBus> bus_;
    const std::uint64_t base_;
    const std::uint32_t stride_, count_;
    const std::uint64_t limit_;
    const unsigned given_signal_, done_signal_;

    mutable std::mutex mutex_;
    std::deque<Use> uses_;  // given and not taken back, oldest first
    std::uint64_t given_ = 0, done_ = 0, taken_ = 0;
    std::uint64_t begun_ = 0;  // done_ when the loop began
    bool closing_ = false, ended_ = false, closed_seen_ = false, retired_ = false;
    Marks marks_;
    bool marked_ = false;
};

}  // namespace gapless
