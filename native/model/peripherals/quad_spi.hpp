// AXI Quad SPI (PG153) as a master in standard mode, with FIFOs and bytes as its words.
//
// A read of the empty receive FIFO and a write to the full transmit FIFO end with a bus error in hardware; here the
// first gives 0 and the second does nothing.
#pragma once

#include <array>
#include <memory>

#include "model/peripherals/clock.hpp"
#include "model/peripherals/fifo.hpp"
#include "model/peripherals/interrupt_block.hpp"
#include "model/peripherals/spi_target.hpp"

namespace gapless {

class QuadSpi final : public Peripheral {
public:
    static constexpr unsigned most_slaves = 32;

    // A bit takes `ratio` cycles of the clock.
    QuadSpi(std::int64_t hertz, unsigned ratio, unsigned fifo_depth, unsigned slaves);

    std::uint32_t read(std::uint32_t offset, Time now) override;
    void write(std::uint32_t offset, std::uint32_t value, Time now) override;
    void step(Time now) override;
    bool steady(std::uint32_t offset) const override;
    void reset(Time now) override;

    unsigned slaves() const { return slaves_; }
    // From now on slave select line `slave` selects this target; none: nobody.
    void attach(unsigned slave, std::shared_ptr<SpiTarget> target);

private:
    std::uint32_t status() const;
    void write_control(std::uint32_t value);
    bool may_transfer() const;
    void proceed(Time now);
    void select();
    std::uint8_t exchange(std::uint8_t byte);

    Clock clock_;
    const unsigned ratio_, slaves_;
    const std::uint32_t slave_mask_;
    std::array<std::shared_ptr<SpiTarget>, most_slaves> targets_;
    InterruptBlock interrupts_{interrupt, 0x3FFF};
    Fifo<std::uint8_t> transmit_, receive_;
    std::uint32_t control_, slave_select_;  // the lines are low when selected
    std::uint32_t selected_ = 0;
    bool shifting_ = false;
};

}  // namespace gapless
