// AXI GPIO (PG144): one or two channels of up to 32 pins, each with a buffer: an output is read back.
#pragma once

#include <array>

#include "model/peripherals/interrupt_block.hpp"

namespace gapless {

struct AxiGpioChannel {
    unsigned width = 32;                  // 0: the channel is not there
    std::uint32_t data = 0;               // at reset
    std::uint32_t tristate = 0xFFFFFFFF;  // at reset: a bit is 1 for an input
    bool all_inputs = false;              // the core was built with all_inputs or all_outputs:
    bool all_outputs = false;             // the tristate register is fixed
};

class AxiGpio final : public Peripheral {
public:
    static constexpr unsigned channel_count = 2, most_pins = 32;

    explicit AxiGpio(const std::array<AxiGpioChannel, channel_count>& channels);

    std::uint32_t read(std::uint32_t offset, Time now) override;
    void write(std::uint32_t offset, std::uint32_t value, Time now) override;
    bool steady(std::uint32_t) const override { return true; }
    void reset(Time now) override;

    unsigned width(unsigned channel) const { return channels_.at(channel).config.width; }
    // What comes from outside; a change of a pin that is an input is the channel's interrupt event.
    void set_input(unsigned channel, std::uint32_t levels, Time now);
    std::uint32_t input(unsigned channel) const { return channels_.at(channel).input; }
    // What is driven: 0 where a pin is an input.
    std::uint32_t output(unsigned channel) const { return channels_.at(channel).driven(); }
    // Follows one bit of output().
    Wire& pin(unsigned channel, unsigned bit) { return channels_.at(channel).pins.at(bit); }

private:
    struct Channel {
        AxiGpioChannel config;
        std::uint32_t mask = 0, data = 0, tristate = 0, input = 0;
        std::array<Wire, most_pins> pins;
        std::uint32_t driven() const { return data & ~tristate & mask; }
    };
    static void drive(Channel& channel, Time now);

    std::array<Channel, channel_count> channels_;
    InterruptBlock interrupts_{interrupt, 0x3};
};

}  // namespace gapless
