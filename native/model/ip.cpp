#include "model/ip.hpp"

#include <algorithm>

#include "register_bus.hpp"

namespace gapless {

namespace {
// A model that does so much at one moment goes round in a circle, and time would stand still.
constexpr unsigned most_acts = 100'000;
}  // namespace

Ip::Ip(std::string name, std::uint64_t base, Findings& findings)
    : name_(std::move(name)), base_(base), findings_(findings) {}

// ---- assembly --------------------------------------------------------------------------------------

IpInput& Ip::add_input() { return *inputs_.emplace_back(std::make_unique<IpInput>(*this)); }

IpOutput& Ip::add_output() { return *outputs_.emplace_back(std::make_unique<IpOutput>(*this)); }

void Ip::bind(std::shared_ptr<IpBehaviour> behaviour, bool reads, bool writes) {
    behaviour_ = std::move(behaviour);
    reads_ = reads;
    writes_ = writes;
}

std::shared_ptr<IpBehaviour> Ip::unbind() {
    reads_ = writes_ = false;
    timers_.clear();
    schedule();
    return std::exchange(behaviour_, nullptr);
}

// ---- registers -------------------------------------------------------------------------------------

template <typename Access>
auto Ip::access(std::uint32_t offset, Time now, Access body) -> decltype(body()) {
    if (broken()) throw BusFault(failure_);
    try {
        return body();
    } catch (const BusFault& fault) {
        findings_.add(now, "model-failed", fault.what(), base_ + offset);
        throw;
    }
}

std::uint32_t Ip::word(std::uint32_t offset) const {
    const auto found = words_.find(offset);
    return found == words_.end() ? 0 : found->second;
}

std::uint32_t Ip::read(std::uint32_t offset, Time now) {
    return access(offset, now, [&] {
        std::optional<std::uint32_t> value;
        if (reads_) value = behaviour_->read(offset, now);
        return value.value_or(word(offset));
    });
}

void Ip::write(std::uint32_t offset, std::uint32_t value, Time now) {
    access(offset, now, [&] {
        set_word(offset, value);
        if (writes_) behaviour_->write(offset, value, now);
    });
}

// ---- time ------------------------------------------------------------------------------------------

std::uint64_t Ip::start_timer(Time when) {
    const std::uint64_t timer = next_timer_++;
    timers_.emplace(std::pair(when, timer), timer);
    schedule();
    return timer;
}

template <typename Act>
void Ip::act(Time now, Act body) {
    if (now != moment_) acts_ = 0;
    moment_ = now;
    try {
        if (++acts_ > most_acts)
            throw BusFault(name_ + ": its model did " + std::to_string(most_acts) +
                           " things at one moment of virtual time; a delay has to let time pass");
        body();
    } catch (const BusFault& fault) {
        fail(fault.what(), now);
    }
}

void Ip::step(Time now) {
    while (!broken() && behaviour_ != nullptr) {
        if (!timers_.empty() && timers_.begin()->first.first <= now) {
            const std::uint64_t timer = timers_.begin()->second;
            timers_.erase(timers_.begin());
            act(now, [&] { behaviour_->timer(timer, now); });
            continue;
        }
        const auto ready = std::find_if(inputs_.begin(), inputs_.end(),
                                        [&](const auto& input) { return input->due() <= now; });
        if (ready == inputs_.end() || !takes()) break;
        const auto number = static_cast<std::size_t>(ready - inputs_.begin());
        act(now, [&] { behaviour_->receive(number, (*ready)->take(), now); });
    }
    schedule();
}

// What it was doing is left undone, and everybody who waits for it is told.
void Ip::fail(const std::string& why, Time now) {
    failure_ = why + " (the model has stopped: load the design or open the board again)";
    findings_.add(now, "model-failed", why, base_);
    timers_.clear();
    for (const auto& input : inputs_) input->wake_producer(now, true);
    for (const auto& output : outputs_) output->wake_consumer(now);
}

bool Ip::takes() const {
    return behaviour_ != nullptr && !broken() &&
           std::none_of(outputs_.begin(), outputs_.end(), [](const auto& output) { return output->full(); });
}

void Ip::stirred(Time now) {
    schedule();
    if (!takes()) return;
    for (const auto& input : inputs_) input->wake_producer(now);
}

void Ip::schedule() {
    Time due = timers_.empty() ? never : timers_.begin()->first.first;
    if (takes())
        for (const auto& input : inputs_) due = std::min(due, input->due());
    set_due(due);
}

}  // namespace gapless
