#include "model/machine.hpp"

#include <algorithm>
#include <utility>

namespace gapless {

Machine::Machine(AccessCost cost, double slowdown)
    : cost_(cost), cpu_clock_(slowdown), fixed_(make_parts()), pl_(make_parts()) {
    for (const auto& parts : {fixed_, pl_}) parts->attach(horizon_, now_);
}

// ---- what is on the bus ------------------------------------------------------------------------------

std::size_t Machine::add_port(double bandwidth) {
    ports_.push_back(std::make_unique<Port>(bandwidth));
    return ports_.size() - 1;
}

std::shared_ptr<Parts> Machine::make_parts() { return std::make_shared<Parts>(Parts::World{memory_, findings_}); }

std::shared_ptr<Parts> Machine::load(std::shared_ptr<Parts> parts) {
    pl_->retire(now_);
    std::swap(pl_, parts);
    last_decoded_ = {};
    memory_.load(pl_->memories());
    pl_->attach(horizon_, now_);
    bereave();
    return parts;
}

// Nobody waits any more for what left.
void Machine::bereave() {
    for (const auto& actor : actors_) {
        const int line = actor->awaited.interrupt;
        actor->bereft = actor->state == Actor::State::waiting && line >= 0 && !fixed_->drives(line);
        actor->iop = nullptr;
    }
    wake_waiting();
}

void Machine::released(std::uint64_t base, std::uint64_t nbytes) {
    if (fixed_->uses(base, nbytes) || pl_->uses(base, nbytes))
        findings_.add(now_, "freed-in-flight",
                      "the buffer at " + hex(base) + " was freed while a DMA channel still uses it", base);
    memory_.released(base);
}

// ---- actors ----------------------------------------------------------------------------------------

std::shared_ptr<Machine::Actor> Machine::add_actor(Time time) {
    auto actor = std::make_shared<Actor>();
    actor->id = next_id_++;
    actor->time = std::max(time, now_);
    actors_.push_back(actor);
    return actor;
}

void Machine::remove_actor(const Actor& actor) {
    actors_.erase(std::remove_if(actors_.begin(), actors_.end(), [&](const auto& a) { return a.get() == &actor; }),
                  actors_.end());
    notify();
}

bool Machine::is_first(const Actor& actor) const {
    return std::none_of(actors_.begin(), actors_.end(), [&](const auto& other) {
        return other->state != Actor::State::parked &&
               std::make_pair(other->key(), other->id) < std::make_pair(actor.key(), actor.id);
    });
}

// When the first of the others acts, at the earliest.
Time Machine::first_of_others(const Actor& actor) const {
    Time first = never;
    for (const auto& other : actors_)
        if (other.get() != &actor && other->state != Actor::State::parked) first = std::min(first, other->key());
    return first;
}

// Returns when `actor` may act: nobody is behind it, and the models have come to its time.
void Machine::take_turn(Lock& lock, Actor& actor) {
    actor.time = std::max(actor.time, now_);  // it was parked
    actor.state = Actor::State::requesting;
    for (;;) {
        if (actor.cancelled) break;
        if (!is_first(actor)) {
            notify();
            sleep(lock);
        } else if (now_ >= actor.time || (advance(actor.time, actor) && now_ >= actor.time)) {
            break;
        }
    }
    actor.state = Actor::State::running;
    if (actor.cancelled) throw Cancelled();
}

bool Machine::is_up(const Actor& actor) const {
    if (actor.settles) return actor.iop == nullptr || actor.iop->settled();
    const Awaited awaited = actor.awaited;
    return actor.bereft || (awaited.interrupt >= 0 && interrupt(static_cast<unsigned>(awaited.interrupt))) ||
           (awaited.signal >= 0 && signals_.level(static_cast<unsigned>(awaited.signal)));
}

bool Machine::wait(Lock& lock, Actor& actor, Awaited awaited, Time deadline) {
    take_turn(lock, actor);
    actor.awaited = awaited;
    if (is_up(actor)) return true;
    actor.deadline = deadline;
    actor.state = Actor::State::waiting;
    while (actor.state == Actor::State::waiting) {
        if (actor.cancelled) break;
        // Whoever waits without a deadline lets the others move time.
        if (deadline == never || !is_first(actor)) {
            // Until the first of the others acts the models may run on while it works.
            const Time until = deadline == never ? now_ : first_of_others(actor);
            if (until > now_) {
                advance(until, actor);
            } else {
                notify();
                sleep(lock);
            }
            continue;
        }
        advance(deadline, actor);
        if (actor.state == Actor::State::waiting && now_ >= deadline) {
            actor.time = deadline;
            actor.state = Actor::State::running;
            return false;
        }
    }
    take_turn(lock, actor);  // woken at actor.time
    if (std::exchange(actor.bereft, false))
        throw BusFault("another design was loaded into the PL while interrupt " + std::to_string(awaited.interrupt) +
                       " was waited for");
    return true;
}

bool Machine::interrupts_changed() {
    const bool fixed = fixed_->interrupts().take_changed();
    return pl_->interrupts().take_changed() || fixed;
}

// What the host's last access set going is done when the host goes on, if it can be done at all: programs were
// written for a processor that is done long before an interpreter has its next statement.
void Machine::let_settle(Lock& lock, Actor& actor) {
    Iop* iop = pl_->take_stirred();
    if (iop == nullptr) iop = fixed_->take_stirred();
    if (iop == nullptr || iop->patience() == 0) return;
    actor.iop = iop;
    actor.settles = true;
    const bool settled = wait(lock, actor, {}, actor.time + iop->patience());
    actor.settles = false;
    if (!settled && actor.iop != nullptr) iop->lose_patience();
    actor.iop = nullptr;
}

void Machine::sleep(Lock& lock) {
    ++sleepers_;
    turn_.wait(lock);
    --sleepers_;
}

// Whoever waits for what is up now continues at this time.
bool Machine::wake_waiting() {
    bool woken = false;
    for (const auto& actor : actors_) {
        if (actor->state != Actor::State::waiting || !is_up(*actor)) continue;
        actor->time = now_;
        actor->state = Actor::State::requesting;
        woken = true;
    }
    if (woken) notify();
    return woken;
}

// The time before which nobody but `next` acts.
Time Machine::until_others(const Component& next, Time until) const {
    for (const Parts* parts : {fixed_.get(), pl_.get()})
        for (const Component* component : parts->components())
            if (component != &next && component->due() < until) until = component->due() + component->slack();
    return until;
}

// Runs the models up to `until`, or to the first moment at which an actor has to be asked. True when
// nobody was woken on the way.
bool Machine::advance(Time until, const Actor& driver) {
    for (std::uint32_t events = 1;; ++events) {
        if (horizon_ > until) {
            now_ = std::max(now_, until);
            return true;
        }
        Component* next = nullptr;
        for (const Parts* parts : {pl_.get(), fixed_.get()})
            for (Component* component : parts->components())
                if (next == nullptr || component->due() < next->due()) next = component;
        horizon_ = next == nullptr ? never : next->due();
        if (horizon_ > until) continue;
        now_ = std::max(now_, next->due());
        if (next->slack() == 0)
            next->step(now_);
        else
            now_ = std::max(now_, next->run(now_, until_others(*next, until)));
        if (interrupts_changed() && wake_waiting()) return false;
        if (events % 4096 == 0 && driver.cancelled) return true;
    }
}

void Machine::follow_wall_clock() {
    wall_clock_ = std::make_unique<WallClock>([this](Time elapsed) { pass(elapsed); });
}

// `elapsed` of real time has passed, while perhaps nobody touched the bus.
void Machine::pass(Time elapsed) {
    const Lock lock = this->lock();
    const auto busy = std::count_if(actors_.begin(), actors_.end(), [](const auto& actor) {
        return actor->state != Actor::State::parked;
    });
    const bool waiting = std::any_of(actors_.begin(), actors_.end(), [](const auto& actor) {
        return actor->state == Actor::State::requesting || actor->state == Actor::State::waiting;
    });
    // What the host could not keep up with does not add up.
    constexpr Time most = 10 * picoseconds_per_second / 1000;
    if (busy <= 1 && !waiting) advance(now_ + std::min(elapsed, most), Actor());
}

unsigned Machine::add_signal() {
    for (unsigned signal = 0; signal < 64; ++signal) {
        if ((signals_taken_ >> signal & 1) != 0) continue;
        signals_taken_ |= std::uint64_t{1} << signal;
        signals_.set(static_cast<int>(signal), false);
        return signal;
    }
    throw std::runtime_error("all 64 signals of the board are taken: close a stream first");
}

// ---- bus -------------------------------------------------------------------------------------------

Device& Machine::decode(std::uint64_t address, std::uint32_t& offset) {
    if (address % 4 != 0) throw BusFault("register address " + hex(address) + " is not a multiple of 4");
    if (address - last_decoded_.base >= last_decoded_.size) {
        last_decoded_ = {};
        for (const Parts* parts : {fixed_.get(), pl_.get()})
            for (const Parts::Mapping& mapping : parts->mappings())
                if (address - mapping.base < mapping.size) last_decoded_ = mapping;
    }
    if (last_decoded_.device != nullptr) {
        offset = static_cast<std::uint32_t>(address - last_decoded_.base);
        return *last_decoded_.device;
    }
    throw BusFault("no device answers at register address " + hex(address));
}

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
