// One actor's way to the devices of a machine.
#include <algorithm>
#include <utility>

#include "model/machine.hpp"

namespace gapless {

namespace {
constexpr Time longest_wait = 1'000'000 * picoseconds_per_second;  // keeps deadlines far from overflow
}

class VirtualBus final : public RegisterBus {
public:
    VirtualBus(std::shared_ptr<Machine> machine, Time time) : machine_(std::move(machine)) {
        const Machine::Lock lock = machine_->lock();
        actor_ = machine_->add_actor(time);
    }
    ~VirtualBus() override {
        // Let go of in a callback of the same board, it is this thread that has the lock.
        Machine::Lock lock(machine_->mutex_, std::defer_lock);
        if (!Callout::inside(machine_.get())) lock.lock();
        machine_->remove_actor(*actor_);
    }

    std::uint32_t read32(std::uint64_t address) override {
        Access access(*this);
        return read(address);
    }

    void write32(std::uint64_t address, std::uint32_t value) override {
        Access access(*this);
        std::uint32_t offset = 0;
        Device& device = machine_->decode(address, offset);
        write(device, offset, value);
        machine_->let_settle(access.lock, *actor_);
    }

    bool try_read32(std::uint64_t address, std::uint32_t& value) override {
        const Machine::Lock lock = try_lock();
        if (!may_act_at_once(lock)) return false;
        value = read(address);
        machine_->notify();
        return true;
    }

    bool try_write32(std::uint64_t address, std::uint32_t value) override {
        const Machine::Lock lock = try_lock();
        std::uint32_t offset = 0;
        if (!may_act_at_once(lock)) return false;
        Device& device = machine_->decode(address, offset);
        if (device.stirs()) return false;
        write(device, offset, value);
        machine_->notify();
        return true;
    }

    bool wait(Awaited awaited, Time timeout) override {
        Turn turn(*this);
        const Time deadline = timeout == never ? never : actor_->time + std::clamp<Time>(timeout, 0, longest_wait);
        return machine_->wait(turn.lock, *actor_, awaited, deadline);
    }

    Time now() override {
        const Time worked = machine_->cpu_clock_.since(mark_);
        const Machine::Lock lock = machine_->lock();
        if (!in_turn_) {  // else another thread is in there, and this one only asks
            if (!resumed_) actor_->time += worked;
            resumed_ = false;
            machine_->cpu_clock_.start(mark_);
        }
        return actor_->time;
    }

    void sleep_until(Time time) override {
        Turn turn(*this);
        actor_->time = std::max(actor_->time, time);
        machine_->take_turn(turn.lock, *actor_);
    }

    void spend(Time time) override {
        if (machine_->cpu_clock_.counts()) return;  // what it takes is measured
        Turn turn(*this);
        actor_->time += std::clamp<Time>(time, 0, longest_wait);
    }

    unsigned add_signal() override {
        const Machine::Lock lock = machine_->lock();
        return machine_->add_signal();
    }

    void remove_signal(unsigned signal) override {
        const Machine::Lock lock = machine_->lock();
        machine_->signals_taken_ &= ~(std::uint64_t{1} << signal);
    }

    void set_signal(unsigned signal, bool level) override {
        Access access(*this);
        machine_->signals_.set(static_cast<int>(signal), level);
        if (machine_->signals_.take_changed()) machine_->wake_waiting();
    }

    bool take_turn() override {
        try {
            const Access access(*this);
        } catch (const Cancelled&) {
            return false;
        }
        return true;
    }

    std::shared_ptr<RegisterBus> fork(const std::string&) override {
        return std::make_shared<VirtualBus>(machine_, now());
    }

    void park() override {
        now();  // what was worked until here
        const Machine::Lock lock = machine_->lock();
        ++parked_;
        settle();
    }

    void resume(Time time) override {
        const Machine::Lock lock = machine_->lock();
        --parked_;
        go_on_at(time);
    }

    void catch_up(Time time) override {
        now();  // what was worked until here
        const Machine::Lock lock = machine_->lock();
        go_on_at(time);
    }

    void cancel() override {
        Callout::refuse();
        actor_->cancelled = true;
        const Machine::Lock lock = machine_->lock();
        machine_->notify();
    }

private:
    // Inside, the actor's state is take_turn()'s and wait()'s business; the others look when it is over.
    struct Turn {
        explicit Turn(VirtualBus& owner)
            : bus(owner),
              worked(owner.machine_->cpu_clock_.since(owner.mark_)),
              lock(owner.machine_->lock()) {
            while (bus.in_turn_) bus.machine_->sleep(lock);  // an actor is one thread of control
            bus.in_turn_ = true;
            // Having waited for another loop to end is no work.
            if (!bus.resumed_) bus.actor_->time += worked;
            bus.resumed_ = false;
        }
        ~Turn() {
            bus.in_turn_ = false;
            bus.settle();
            bus.machine_->cpu_clock_.start(bus.mark_);
        }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

        VirtualBus& bus;
        const Time worked;
        Machine::Lock lock;
    };

    // One register access.
    struct Access : Turn {
        explicit Access(VirtualBus& owner) : Turn(owner) { bus.machine_->take_turn(lock, *bus.actor_); }
    };

    void go_on_at(Time time) {
        if (!in_turn_) actor_->time = std::max(actor_->time, time);
        resumed_ = true;
        settle();
    }

    void settle() {
        if (!in_turn_) actor_->state = parked_ > 0 ? Machine::Actor::State::parked : Machine::Actor::State::running;
        machine_->notify();
    }

    Machine::Lock try_lock() const {
        return Callout::inside() ? Machine::Lock() : Machine::Lock(machine_->mutex_, std::try_to_lock);
    }

    // Whether it is this actor's turn, and no model has to act before.
    bool may_act_at_once(const Machine::Lock& lock) {
        if (!lock || in_turn_ || actor_->cancelled || machine_->cpu_clock_.counts()) return false;
        actor_->time = std::max(actor_->time, machine_->now_);
        if (!machine_->is_first(*actor_) || machine_->horizon_ <= actor_->time) return false;
        machine_->now_ = actor_->time;
        return true;
    }

    std::uint32_t read(std::uint64_t address) {
        std::uint32_t offset = 0;
        const std::uint32_t value = machine_->decode(address, offset).read(offset, actor_->time);
        if (machine_->interrupts_changed()) machine_->wake_waiting();
        actor_->time += machine_->cost_.read;
        return value;
    }

    void write(Device& device, std::uint32_t offset, std::uint32_t value) {
        device.write(offset, value, actor_->time);
        // What a write changes may be what somebody waits for.
        if (machine_->interrupts_changed()) machine_->wake_waiting();
        actor_->time += machine_->cost_.write;
    }

    std::shared_ptr<Machine> machine_;
    std::shared_ptr<Machine::Actor> actor_;
    bool in_turn_ = false, resumed_ = false;
    unsigned parked_ = 0;
    CpuClock::Mark mark_;
};

std::shared_ptr<RegisterBus> Machine::bus() {
    return std::make_shared<VirtualBus>(shared_from_this(), now_);
}

}  // namespace gapless
