// AXI IIC (PG090) as a master with 7-bit addresses, in standard and in dynamic mode.
//
// Left out: being a slave, other masters, 10-bit addresses; the timing registers are only storage.
#pragma once

#include <array>
#include <map>
#include <memory>

#include "model/peripherals/clock.hpp"
#include "model/peripherals/fifo.hpp"
#include "model/peripherals/iic_target.hpp"
#include "model/peripherals/interrupt_block.hpp"

namespace gapless {

class AxiIic final : public Peripheral {
public:
    // `hertz` of the core's clock, and of SCL.
    AxiIic(std::int64_t hertz, std::int64_t scl_hertz);

    std::uint32_t read(std::uint32_t offset, Time now) override;
    void write(std::uint32_t offset, std::uint32_t value, Time now) override;
    void step(Time now) override;
    bool steady(std::uint32_t offset) const override;
    void reset(Time now) override;

    // From now on this target answers at the 7-bit address; none of them: nobody does.
    void attach(std::uint8_t address, std::shared_ptr<IicTarget> target);

private:
    enum class State {
        idle,
        addressing,
        sending,
        receiving,
        stopping,
        // Not timed; SCL is held low meanwhile:
        wants_data,  // the next byte to send, or a repeated start
        throttled,   // the receive FIFO is filled to RX_FIFO_PIRQ
        finished,    // the last byte is received, in standard mode: a stop or a repeated start
    };
    bool busy() const { return state_ != State::idle; }
    bool timed() const { return state_ >= State::addressing && state_ <= State::stopping; }
    bool released() const;
    bool filled() const;
    bool starts_next() const;

    std::uint32_t status() const;
    void write_control(std::uint32_t value);
    void abandon();
    void proceed(Time now);
    void start(Time now);
    void stop(Time now);
    void refuse(Time now);
    void send(Time now);
    void receive(Time now);
    void addressed(Time now);
    void sent(Time now);
    void received(Time now);
    void latch(Time now);
    void enter(State state, Time now, int bits);

    Clock clock_;
    const std::int64_t cycles_per_bit_;
    std::map<std::uint8_t, std::shared_ptr<IicTarget>> targets_;
    InterruptBlock interrupts_{interrupt, 0xFF};
    Fifo<std::uint16_t> transmit_{16};
    Fifo<std::uint8_t> receive_{16};
    std::uint32_t control_ = 0, threshold_ = 0, own_address_ = 0, ten_bit_address_ = 0, outputs_ = 0;
    std::array<std::uint32_t, 8> timing_{};

    // Of the transfer under way: while the state is idle, the others say nothing.
    State state_ = State::idle;
    IicTarget* target_ = nullptr;  // the one that acknowledged its address
    bool dynamic_ = false;
    bool stop_follows_ = false;  // in dynamic mode: after this byte
    std::uint8_t shifted_ = 0;
    unsigned remaining_ = 0;
};

}  // namespace gapless
