// The master's way through a transfer; the registers are in axi_iic_registers.cpp.
#include "model/peripherals/axi_iic.hpp"
#include "model/peripherals/axi_iic_bits.hpp"

namespace gapless {

using namespace iic;

AxiIic::AxiIic(std::int64_t hertz, std::int64_t scl_hertz) : clock_(hertz), cycles_per_bit_(hertz / scl_hertz) {
    latch(0);
}

void AxiIic::attach(std::uint8_t address, std::shared_ptr<IicTarget> target) {
    const auto found = targets_.find(address);
    if (found != targets_.end() && found->second.get() == target_) target_ = nullptr;
    if (target == nullptr)
        targets_.erase(address);
    else
        targets_[address] = std::move(target);
}

void AxiIic::enter(State state, Time now, int bits) {
    state_ = state;
    set_due(bits > 0 ? clock_.after(now, bits * cycles_per_bit_) : never);
}

// Software wants the stop of a transfer that it started (standard mode).
bool AxiIic::released() const { return !dynamic_ && (control_ & master) == 0; }

// The receive FIFO has as many bytes as RX_FIFO_PIRQ says (it holds one less).
bool AxiIic::filled() const { return receive_.size() == threshold_ + 1; }

// Whether the next word in the transmit FIFO is the address of a (repeated) start.
bool AxiIic::starts_next() const {
    if (transmit_.empty()) return false;
    return dynamic_ ? (transmit_.front() & word_start) != 0 : (control_ & repeated_start) != 0;
}

// Goes on with what the registers ask for, unless something is on the bus at this time.
void AxiIic::proceed(Time now) {
    if ((control_ & enable) == 0 || timed()) return;
    switch (state_) {
        case State::idle:
            if (transmit_.empty()) break;
            dynamic_ = (transmit_.front() & word_start) != 0;
            if (dynamic_) control_ |= master;
            if ((control_ & master) != 0) start(now);
            break;
        case State::wants_data:
            if (starts_next())
                start(now);
            else if (!transmit_.empty())
                send(now);
            break;
        case State::throttled:
            if (released())
                stop(now);
            else if (!filled())
                receive(now);
            break;
        case State::finished:
            if (released())
                stop(now);
            else if (starts_next())
                start(now);
            break;
        default: break;
    }
}

// A start takes a bit, a byte with its acknowledge nine, and a stop one.
void AxiIic::start(Time now) {
    const std::uint16_t word = transmit_.pop();
    control_ &= ~std::uint32_t{repeated_start};
    stop_follows_ = dynamic_ && (word & word_stop) != 0;
    shifted_ = static_cast<std::uint8_t>(word);
    enter(State::addressing, now, 10);
}

void AxiIic::send(Time now) {
    const std::uint16_t word = transmit_.pop();
    stop_follows_ = dynamic_ && (word & word_stop) != 0;
    shifted_ = static_cast<std::uint8_t>(word);
    enter(State::sending, now, 9);
}

void AxiIic::receive(Time now) { enter(State::receiving, now, 9); }

void AxiIic::stop(Time now) {
    if (target_ != nullptr) target_->stop();
    target_ = nullptr;
    enter(State::stopping, now, 1);
}

// Nobody acknowledged: the transfer ends. What is in the FIFO stays there until software resets it.
void AxiIic::refuse(Time now) {
    interrupts_.raise(event_transmit_error, now);
    control_ &= ~std::uint32_t{master};
    stop(now);
}

// The device was disabled: it lets go of the bus.
void AxiIic::abandon() {
    if (target_ != nullptr) target_->stop();
    target_ = nullptr;
    state_ = State::idle;
    set_due(never);
}

void AxiIic::step(Time now) {
    switch (state_) {
        case State::addressing: addressed(now); break;
        case State::sending: sent(now); break;
        case State::receiving: received(now); break;
        case State::stopping:
            if (dynamic_) control_ &= ~std::uint32_t{master};
            enter(State::idle, now, 0);
            break;
        default: set_due(never); break;
    }
    proceed(now);
    latch(now);
}

void AxiIic::addressed(Time now) {
    const bool reading = (shifted_ & 1) != 0;
    const auto found = targets_.find(static_cast<std::uint8_t>(shifted_ >> 1));
    target_ = found != targets_.end() && found->second->start(reading) ? found->second.get() : nullptr;
    // In dynamic mode the word after the address is how many bytes to receive. Without one it is a single byte.
    if (dynamic_ && reading) remaining_ = transmit_.pop() & 0xFF;
    if (target_ == nullptr)
        refuse(now);
    else if (stop_follows_ || (!reading && released() && transmit_.empty()))
        stop(now);
    else if (reading)
        receive(now);
    else
        enter(State::wants_data, now, 0);
}

void AxiIic::sent(Time now) {
    // Without MSMS what is left in the FIFO is sent, then follows the stop: software clears it before the last byte.
    if (target_ == nullptr || !target_->write(shifted_))
        refuse(now);
    else if (stop_follows_ || (released() && transmit_.empty()))
        stop(now);
    else
        enter(State::wants_data, now, 0);
}

void AxiIic::received(Time now) {
    // SDA stays high when the target was taken away meanwhile.
    receive_.push(target_ != nullptr ? target_->read() : 0xFF);
    const bool last = dynamic_ ? remaining_ <= 1 : (control_ & no_acknowledge) != 0;
    if (remaining_ > 0) --remaining_;
    // The master's own missing acknowledge counts, too.
    if (last) interrupts_.raise(event_transmit_error, now);
    if (dynamic_ ? last : released())
        stop(now);
    else if (last)
        enter(State::finished, now, 0);
    else if (filled())
        enter(State::throttled, now, 0);
    else
        receive(now);
}

// These events are levels: what is so stays set, whoever clears it.
void AxiIic::latch(Time now) {
    std::uint32_t events = event_not_addressed;
    if (!busy()) events |= event_bus_not_busy;
    if (transmit_.size() <= transmit_.depth() / 2) events |= event_half_empty;
    if (filled()) events |= event_receive_full;
    if (state_ == State::wants_data && transmit_.empty()) events |= event_transmit_empty;
    interrupts_.raise(events, now);
}

}  // namespace gapless
