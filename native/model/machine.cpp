#include "model/machine.hpp"

#include <algorithm>
#include <utility>

namespace gapless {

Machine::Machine(AccessCost cost, double slowdown) : cost_(cost), cpu_clock_(slowdown) {}

// ---- assembly --------------------------------------------------------------------------------------

Port& Machine::add_port(double bandwidth) {
    ports_.push_back(std::make_unique<Port>(bandwidth));
    return *ports_.back();
}

template <typename T>
T& Machine::add_device(std::uint64_t base, std::shared_ptr<T> device, std::uint64_t size) {
    T& reference = *device;
    devices_.push_back(std::move(device));
    mappings_.push_back({base, size, &reference});
    return reference;
}

void Machine::add_component(Component& component) {
    component.watch(horizon_);
    components_.push_back(&component);
}

AxiDma& Machine::add_dma(std::uint64_t base, DmaConfig config) {
    const DmaWorld world{memory_, interrupts_, findings_};
    AxiDma& dma = add_device(base, std::make_shared<AxiDma>(std::move(config), world));
    dmas_.push_back(&dma);
    add_component(dma.mm2s());
    add_component(dma.s2mm());
    return dma;
}

Zdma& Machine::add_zdma(std::uint64_t base, ZdmaConfig config) {
    const DmaWorld world{memory_, interrupts_, findings_};
    Zdma& zdma = add_device(base, std::make_shared<Zdma>(std::move(config), world));
    zdmas_.push_back(&zdma);
    add_component(zdma);
    return zdma;
}

Dac& Machine::add_dac(std::uint64_t base, std::uint32_t samples_per_beat, std::uint32_t fifo_bytes) {
    return add_device(base, std::make_shared<Dac>(samples_per_beat, fifo_bytes));
}

Adc& Machine::add_adc(std::uint64_t base, std::uint32_t samples_per_beat, std::uint32_t fifo_bytes) {
    return add_device(base, std::make_shared<Adc>(samples_per_beat, fifo_bytes));
}

Splitter& Machine::add_splitter(std::uint64_t base, std::vector<Dac*> dacs) {
    return add_device(base, std::make_shared<Splitter>(std::move(dacs)));
}

Combiner& Machine::add_combiner(std::uint64_t base, std::vector<Adc*> adcs) {
    return add_device(base, std::make_shared<Combiner>(std::move(adcs)));
}

StreamFifo& Machine::add_fifo(std::uint32_t depth) {
    fifos_.push_back(std::make_unique<StreamFifo>(depth));
    return *fifos_.back();
}

Iop& Machine::add_iop(std::uint64_t base, IopConfig config) {
    const std::uint64_t size = config.local_bytes;
    const IopWorld world{memory_, findings_, interrupts_, stirred_};
    Iop& iop = add_device(base, std::make_shared<Iop>(std::move(config), world), size);
    add_component(iop);
    return iop;
}

void Machine::add_peripheral(std::uint64_t base, std::shared_ptr<Peripheral> peripheral, int line,
                             std::uint64_t size) {
    Peripheral& added = add_device(base, std::move(peripheral), size);
    add_component(added);
    if (line >= 0) added.interrupt.connect([this, line](bool level, Time) { interrupts_.set(line, level); });
}

std::shared_ptr<Ip> Machine::add_ip(std::uint64_t base, std::uint64_t size, std::string name, int line) {
    auto ip = std::make_shared<Ip>(std::move(name), base, findings_);
    add_peripheral(base, ip, line, size);
    return ip;
}

void Machine::released(std::uint64_t base, std::uint64_t nbytes) {
    const bool streaming = std::any_of(dmas_.begin(), dmas_.end(), [&](AxiDma* dma) {
        return dma->mm2s().uses(base, nbytes) || dma->s2mm().uses(base, nbytes);
    });
    const bool copying =
        std::any_of(zdmas_.begin(), zdmas_.end(), [&](const Zdma* zdma) { return zdma->uses(base, nbytes); });
    if (streaming || copying)
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
    if (actor.iop != nullptr) return actor.iop->settled();
    const Awaited awaited = actor.awaited;
    return (awaited.interrupt >= 0 && interrupts_.level(static_cast<unsigned>(awaited.interrupt))) ||
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
    return true;
}

// What the host's last access set going is done when the host goes on, if it can be done at all: programs were
// written for a processor that is done long before an interpreter has its next statement.
void Machine::let_settle(Lock& lock, Actor& actor) {
    Iop* iop = std::exchange(stirred_, nullptr);
    if (iop == nullptr || iop->patience() == 0) return;
    actor.iop = iop;
    const bool settled = wait(lock, actor, {}, actor.time + iop->patience());
    actor.iop = nullptr;
    if (!settled) iop->lose_patience();
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
    for (const Component* component : components_)
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
        for (Component* component : components_)
            if (next == nullptr || component->due() < next->due()) next = component;
        horizon_ = next == nullptr ? never : next->due();
        if (horizon_ > until) continue;
        now_ = std::max(now_, next->due());
        if (next->slack() == 0)
            next->step(now_);
        else
            now_ = std::max(now_, next->run(now_, until_others(*next, until)));
        if (interrupts_.take_changed() && wake_waiting()) return false;
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
    for (std::size_t tried = 0; tried < mappings_.size(); ++tried) {
        const Mapping& mapping = mappings_[last_decoded_];
        if (address - mapping.base < mapping.size) {
            offset = static_cast<std::uint32_t>(address - mapping.base);
            return *mapping.device;
        }
        last_decoded_ = (last_decoded_ + 1) % mappings_.size();
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
        if (!in_turn_) actor_->time = std::max(actor_->time, time);
        resumed_ = true;
        settle();
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
        if (machine_->interrupts_.take_changed()) machine_->wake_waiting();
        actor_->time += machine_->cost_.read;
        return value;
    }

    void write(Device& device, std::uint32_t offset, std::uint32_t value) {
        device.write(offset, value, actor_->time);
        // What a write changes may be what somebody waits for.
        if (machine_->interrupts_.take_changed()) machine_->wake_waiting();
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
