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

}  // namespace gapless
