// An IP of a user's design: registers, streams, an interrupt and timers, and a behaviour that comes from outside the core.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/findings.hpp"
#include "model/ip_stream.hpp"
#include "model/peripheral.hpp"

namespace gapless {

// What the IP does. Called at a moment of virtual time with the lock of the board held; throws BusFault for what it
// cannot do.
class IpBehaviour {
public:
    virtual ~IpBehaviour() = default;
    // Nothing: what was written there last.
    virtual std::optional<std::uint32_t> read(std::uint32_t offset, Time now) = 0;
    virtual void write(std::uint32_t offset, std::uint32_t value, Time now) = 0;
    virtual void receive(std::size_t input, IpPiece piece, Time now) = 0;
    virtual void timer(std::uint64_t timer, Time now) = 0;
};

// Without a behaviour it is plain registers, and its streams stand still.
class Ip final : public Peripheral, public IpStreams {
public:
    Ip(std::string name, std::uint64_t base, Findings& findings);

    // ---- assembly ----
    IpInput& add_input();
    IpOutput& add_output();
    // `reads`, `writes`: whether the behaviour has to be asked, or plain registers do.
    void bind(std::shared_ptr<IpBehaviour> behaviour, bool reads, bool writes);
    // The behaviour, to be let go of when the lock is not held any more.
    std::shared_ptr<IpBehaviour> unbind();

    // ---- the host's bus ----
    // Throw BusFault where the behaviour does, and when it has stopped.
    std::uint32_t read(std::uint32_t offset, Time now) override;
    void write(std::uint32_t offset, std::uint32_t value, Time now) override;
    bool stirs() const override { return false; }
    bool steady(std::uint32_t) const override { return !reads_; }
    void reset(Time) override {}

    // ---- for the behaviour ----
    std::uint32_t word(std::uint32_t offset) const;
    void set_word(std::uint32_t offset, std::uint32_t value) { words_[offset] = value; }
    // The behaviour's timer() is called at `when`, with the number that this returns.
    std::uint64_t start_timer(Time when);
    IpInput& input(std::size_t number) { return *inputs_.at(number); }
    IpOutput& output(std::size_t number) { return *outputs_.at(number); }

    // ---- time, and its streams ----
    void step(Time now) override;
    bool takes() const override;
    bool broken() const override { return !failure_.empty(); }
    void stirred(Time now) override;
    void stop(const std::string& why, Time now) override { fail(name_ + ": " + why, now); }

private:
    template <typename Act>
    void act(Time now, Act body);
    template <typename Access>
    auto access(std::uint32_t offset, Time now, Access body) -> decltype(body());
    void fail(const std::string& why, Time now);
    void schedule();

    const std::string name_;
    const std::uint64_t base_;
    Findings& findings_;
    std::shared_ptr<IpBehaviour> behaviour_;
    bool reads_ = false, writes_ = false;
    std::unordered_map<std::uint32_t, std::uint32_t> words_;  // 0 where nothing was written
    std::vector<std::unique_ptr<IpInput>> inputs_;
    std::vector<std::unique_ptr<IpOutput>> outputs_;
    std::map<std::pair<Time, std::uint64_t>, std::uint64_t> timers_;  // at one moment in the order of their start
    std::uint64_t next_timer_ = 0;
    std::string failure_;  // why it has stopped
    Time moment_ = -1;     // of the last act
    unsigned acts_ = 0;    // at that moment
};

}  // namespace gapless
