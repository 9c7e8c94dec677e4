// The virtual board's clock, bus and actors.
//
// Time moves only when software touches the bus or waits. Every actor (a streaming loop, the interpreter)
// has a time of its own; the one furthest behind goes first, and the models are brought to its time before
// it touches a register. So two loops in two host threads give the same result whatever the host's
// scheduler does, and nothing polls in real time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "model/callout.hpp"
#include "model/cpu_clock.hpp"
#include "model/parts.hpp"
#include "model/wall_clock.hpp"
#include "register_bus.hpp"

namespace gapless {

struct AccessCost {
    Time read = 200'000;   // 200 ns
    Time write = 100'000;  // 100 ns
};

class Machine : public std::enable_shared_from_this<Machine> {
public:
    // `slowdown` above 0: the CPU time that software spends between two accesses passes, too, so many times over.
    explicit Machine(AccessCost cost, double slowdown = 0);

    // A path to memory. Its number is its own: what is loaded later may share it, or not.
    std::size_t add_port(double bandwidth);
    Port& port(std::size_t number) { return *ports_.at(number); }
    // What is always there: assembled before the first access.
    const std::shared_ptr<Parts>& fixed() const { return fixed_; }
    // Parts for load(), with nothing in them.
    std::shared_ptr<Parts> make_parts();
    // From now on these are in the PL. What was before is returned: it touches nothing any more, and is to be let go
    // of without the lock. Who waits for an interrupt of it gets a bus fault.
    [[nodiscard]] std::shared_ptr<Parts> load(std::shared_ptr<Parts> parts);

    AddressSpace& memory() { return memory_; }
    // For everything that looks at or changes the models from outside a bus access. BusFault for who has it already.
    std::unique_lock<std::mutex> lock() {
        Callout::refuse();
        return std::unique_lock(mutex_);
    }
    // For what a callback of this board, which has it, may do as well.
    std::unique_lock<std::mutex> lock_also_in_callback() {
        return Callout::inside(this) ? std::unique_lock<std::mutex>() : lock();
    }
    const Findings& findings() const { return findings_; }
    Time now() const { return now_; }
    // A buffer was given back: an engine that still uses it is a finding.
    void released(std::uint64_t base, std::uint64_t nbytes);

    std::shared_ptr<RegisterBus> bus();  // a new actor, at the present time

    // From now on time passes, too, while software does something off the bus: as much as on the wall. Not while
    // several threads of control are under way: streaming loops bring time with them. For programs that wait by
    // sleeping; the same run is no longer the same twice.
    void follow_wall_clock();
    void stop_wall_clock() { wall_clock_.reset(); }

private:
    friend class VirtualBus;

    struct Actor {
        enum class State { running, requesting, waiting, parked };
        std::uint64_t id = 0;
        State state = State::running;
        Time time = 0;
        Awaited awaited;
        bool settles = false;  // it waits for this processor to settle, if that is still there:
        Iop* iop = nullptr;
        bool bereft = false;  // what it waited for left with its design
        Time deadline = never;
        std::atomic<bool> cancelled{false};
        Time key() const { return state == State::waiting ? deadline : time; }
    };
    using Lock = std::unique_lock<std::mutex>;

    std::shared_ptr<Actor> add_actor(Time time);
    void remove_actor(const Actor& actor);
    bool is_first(const Actor& actor) const;
    Time first_of_others(const Actor& actor) const;
    void take_turn(Lock& lock, Actor& actor);
    bool wait(Lock& lock, Actor& actor, Awaited awaited, Time deadline);
    void let_settle(Lock& lock, Actor& actor);
    bool is_up(const Actor& actor) const;
    void bereave();
    bool interrupt(unsigned line) const { return fixed_->interrupts().level(line) || pl_->interrupts().level(line); }
    bool interrupts_changed();
    bool advance(Time until, const Actor& driver);
    void pass(Time elapsed);
    bool wake_waiting();
    unsigned add_signal();
    // Wakes the threads that wait for their turn, if there are any.
    void notify() {
        if (sleepers_ > 0) turn_.notify_all();
    }
    void sleep(Lock& lock);
    Device& decode(std::uint64_t address, std::uint32_t& offset);
    Time until_others(const Component& next, Time until) const;

    const AccessCost cost_;
    const CpuClock cpu_clock_;
    std::mutex mutex_;
    std::condition_variable turn_;
    unsigned sleepers_ = 0;
    Time now_ = 0;
    Time horizon_ = never;  // no component is due before
    std::uint64_t next_id_ = 0;
    std::vector<std::shared_ptr<Actor>> actors_;

    AddressSpace memory_;
    InterruptLines signals_;
    std::uint64_t signals_taken_ = 0;  // a bit each
    Findings findings_;
    std::vector<std::unique_ptr<Port>> ports_;
    std::shared_ptr<Parts> fixed_, pl_;
    Parts::Mapping last_decoded_{};  // software comes back to the same device
    std::unique_ptr<WallClock> wall_clock_;  // the last, so that it ends first
};

}  // namespace gapless
