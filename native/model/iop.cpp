#include "model/iop.hpp"

#include <algorithm>
#include <cstring>

namespace gapless {
namespace {

constexpr Time milliseconds = 1'000'000'000;
// A wait can be cancelled after so much.
constexpr Time longest_run = milliseconds;
// How often a loop that looks at the board's memory looks: who writes there does not tell.
constexpr Time memory_poll = milliseconds / 100;
// What the host waits for a processor to settle.
constexpr Time longest_patience = 1000 * milliseconds, short_patience = milliseconds;

// Little-endian, as every host that this runs on. A copy of a length that the compiler knows is one instruction.
std::uint32_t load_bytes(const std::uint8_t* from, unsigned nbytes) {
    std::uint32_t value = 0;
    if (nbytes == 4) std::memcpy(&value, from, 4);
    else if (nbytes == 2) std::memcpy(&value, from, 2);
    else value = *from;
    return value;
}

void store_bytes(std::uint8_t* to, unsigned nbytes, std::uint32_t value) {
    if (nbytes == 4) std::memcpy(to, &value, 4);
    else if (nbytes == 2) std::memcpy(to, &value, 2);
    else *to = static_cast<std::uint8_t>(value);
}

}  // namespace

Iop::Iop(IopConfig config, IopWorld world)
    : Component(100 * config.cycle),  // two of them would else take turns at every instruction
      config_(std::move(config)),
      world_(world),
      local_(config_.local_bytes / 8),
      cpu_(config_.cpu, reinterpret_cast<std::uint8_t*>(local_.data()), config_.local_bytes, *this) {}

void Iop::add_peripheral(std::uint32_t base, std::shared_ptr<Peripheral> peripheral) {
    peripheral->watch(peripherals_due_);
    mappings_.push_back({base, std::move(peripheral)});
}

void Iop::set_interrupt(bool level) {
    cpu_.set_interrupt(level);
    if (level && state_ == State::settled) state_ = State::running;
}

const char* Iop::state_name() const {
    switch (state_) {
        case State::held: return "held";
        case State::running: return "running";
        case State::settled: return settled() ? "settled" : "running";
        case State::faulted: return "faulted";
    }
    return "";
}

// ---- the host's side --------------------------------------------------------------------------------

std::uint32_t Iop::read(std::uint32_t offset, Time /*now*/) {
    return load_bytes(reinterpret_cast<const std::uint8_t*>(local_.data()) + offset, 4);
}

void Iop::write(std::uint32_t offset, std::uint32_t value, Time now) {
    catch_up(now);
    std::memcpy(reinterpret_cast<std::uint8_t*>(local_.data()) + offset, &value, 4);
    cpu_.local_written(offset, 4);
    if (state_ != State::held) stir(now);
}

void Iop::hold(bool held, Time now) {
    if (held == (state_ == State::held)) return;
    if (held) {
        for (const Mapping& mapping : mappings_) mapping.peripheral->reset(now);
        settle(State::held);
    } else {
        cpu_.reset();
        cpu_.delay(cycle_at(now + lag_));
        state_ = State::running;
        world_.stirred = this;
    }
    schedule(now);
}

// The host did something that it may wait for.
void Iop::stir(Time now) {
    wake(now);
    if (state_ == State::running) world_.stirred = this;
}

// It went round its loop up to now.
void Iop::catch_up(Time now) {
    if (state_ != State::settled) return;
    cpu_.pass(cycle_at(now));
    execute(cycle_at(now));
    if (log_) log_->interrupted();
}

void Iop::wake(Time now) {
    if (state_ == State::settled) {
        catch_up(now);
        cpu_.wake();
        cpu_.delay(cycle_at(now + lag_));
        state_ = State::running;
    }
    schedule(now);
}

Time Iop::patience() const {
    if (lag_ > 0) return 0;
    return restless_ ? short_patience : longest_patience;
}

void Iop::settle(State state) {
    state_ = state;
    confirming_ = false;
    awaits_peripheral_ = reads_peripherals_ && next_peripheral() != nullptr;
    if (settled()) restless_ = false;
    if (log_) log_->interrupted();
    world_.lines.touch();
}

// ---- as a component ---------------------------------------------------------------------------------

Time Iop::run(Time now, Time until) {
    const Time limit = std::min(until, now + longest_run);
    if (state_ == State::settled) {  // something happens that it may wait for, or it has to look at memory again
        catch_up(now);
        cpu_.wake();
        state_ = State::running;
    }
    for (;;) {
        step_peripherals(now);
        if (state_ != State::running || time_of(cpu_.cycle()) > limit) break;
        reads_memory_ = reads_peripherals_ = false;
        // What begins at the limit is still executed, but not before a peripheral that acts in the same moment.
        const std::uint64_t end = peripherals_due_ <= limit ? cycle_at(peripherals_due_) : cycle_at(limit + 1);
        const microblaze::Stop stop = execute(end);
        if (stop == microblaze::Stop::settled) {
            // It may have loaded before it came to its loop: what that loads shows in another round.
            confirming_ = !confirming_ && (reads_memory_ || reads_peripherals_);
            if (confirming_) {
                cpu_.wake();
                continue;
            }
            settle(State::settled);
        } else if (stop == microblaze::Stop::fault) {
            world_.findings.add(time_of(cpu_.cycle()), "iop-fault", config_.name + ": " + cpu_.fault().text,
                                cpu_.fault().address);
            settle(State::faulted);
        }
        now = std::max(now, std::min(limit, time_of(cpu_.cycle())));
        if (std::exchange(calls_host_, false)) break;
    }
    schedule(now);
    return now;
}

microblaze::Stop Iop::execute(std::uint64_t until) {
    if (generation_ != world_.memory.generation()) cpu_.set_plain({});  // buffers came and went
    generation_ = world_.memory.generation();
    const microblaze::Stop stop = cpu_.run(until, log_.get());
    if (cpu_.take_plain_loaded()) reads_memory_ = true;
    return stop;
}

// Those that are due at `now`, or were due while an instruction was under way.
void Iop::step_peripherals(Time now) {
    while (peripherals_due_ <= now) {
        Peripheral* next = next_peripheral();
        peripherals_due_ = next == nullptr ? never : next->due();
        if (peripherals_due_ > now) return;
        next->step(next->due());
    }
}

// Which of them acts first, if one is to.
Peripheral* Iop::next_peripheral() const {
    Peripheral* next = nullptr;
    for (const Mapping& mapping : mappings_)
        if (mapping.peripheral->due() < (next == nullptr ? never : next->due())) next = mapping.peripheral.get();
    return next;
}

void Iop::schedule(Time now) {
    Time due = state_ == State::held || state_ == State::faulted ? never : peripherals_due_;
    if (state_ == State::running) due = std::min(due, time_of(cpu_.cycle()));
    if (state_ == State::settled && reads_memory_) due = std::min(due, now + memory_poll);
    set_due(std::max(due, now));
}

// ---- its data bus -----------------------------------------------------------------------------------

microblaze::Reply Iop::load(std::uint32_t address, unsigned nbytes, std::uint32_t& value, std::uint64_t cycle) {
    using microblaze::Reply;
    if (address - config_.window_base < config_.window_bytes) {
        reads_memory_ = true;
        const std::uint8_t* data = memory_at(address, nbytes, false, cycle);
        if (data == nullptr) return {Reply::Kind::error, true, false, config_.memory_cycles};
        value = load_bytes(data, nbytes);
        return {Reply::Kind::okay, true, false, config_.memory_cycles};
    }
    std::uint32_t offset = 0;
    Peripheral* peripheral = decode(address, offset);
    if (peripheral == nullptr) return {Reply::Kind::error, true, false, config_.peripheral_cycles};
    const std::uint32_t word = offset & ~3U;
    const bool steady = peripheral->steady(word);
    reads_peripherals_ = true;
    value = peripheral->read(word, time_of(cycle)) >> (offset % 4 * 8);
    if (nbytes < 4) value &= (1U << nbytes * 8) - 1;
    // What is not steady may have changed when the peripheral acts next.
    return {Reply::Kind::okay, steady, !steady, config_.peripheral_cycles};
}

microblaze::Reply Iop::store(std::uint32_t address, unsigned nbytes, std::uint32_t value, std::uint64_t cycle) {
    using microblaze::Reply;
    if (address - config_.window_base < config_.window_bytes) {
        std::uint8_t* data = memory_at(address, nbytes, true, cycle);
        if (data == nullptr)
            return {reason_.empty() ? Reply::Kind::error : Reply::Kind::refused, true, false, config_.memory_cycles};
        store_bytes(data, nbytes, value);
        return {Reply::Kind::okay, true, false, config_.memory_cycles};
    }
    std::uint32_t offset = 0;
    Peripheral* peripheral = decode(address, offset);
    if (peripheral == nullptr) return {Reply::Kind::error, true, false, config_.peripheral_cycles};
    // Registers take whole words: a narrower store puts its bytes into their lanes.
    peripheral->write(offset & ~3U, value << (offset % 4 * 8), time_of(cycle));
    return {Reply::Kind::okay, true, true, config_.peripheral_cycles};
}

Peripheral* Iop::decode(std::uint32_t address, std::uint32_t& offset) const {
    for (const Mapping& mapping : mappings_) {
        offset = address - mapping.base;
        if (offset < peripheral_window) return mapping.peripheral.get();
    }
    return nullptr;
}

std::uint8_t* Iop::memory_at(std::uint32_t address, unsigned nbytes, bool store, std::uint64_t cycle) {
    const std::uint64_t physical = config_.window_physical + (address - config_.window_base);
    reason_.clear();
    if (world_.memory.respond(physical, nbytes) != Response::okay) return nullptr;
    if (!world_.memory.guarded(physical)) return world_.memory.translate(physical);
    if (const auto found = world_.memory.buffer_at(physical)) {
        const auto [first, size] = *found;
        if (nbytes <= size - (physical - first)) {
            // It will come back to this buffer: what is in it, and in the window, needs no look the next time.
            const std::uint64_t last = std::min(first + size, config_.window_physical + config_.window_bytes);
            const std::uint64_t begin = std::max((first + 3) / 4 * 4, config_.window_physical);
            if (begin < last && world_.memory.respond(first, size) == Response::okay)
                cpu_.set_plain({static_cast<std::uint32_t>(begin - config_.window_physical) + config_.window_base,
                                static_cast<std::uint32_t>((last - begin) / 4 * 4), world_.memory.translate(begin),
                                config_.memory_cycles});
            return world_.memory.translate(physical);
        }
    }
    const std::string place = "physical " + hex(physical) + ", where no buffer is";
    if (store) {
        reason_ = "it would overwrite " + place;
        return nullptr;
    }
    world_.findings.add(time_of(cycle), "iop-outside-buffer", config_.name + " reads " + place, physical);
    return world_.memory.translate(physical);
}

}  // namespace gapless
