// How an IOP interrupts the host in PYNQ's designs: an AXI GPIO of one pin, whose rising edge sets a latch. A pin of
// the host's clears the latch, and keeps it clear for as long as it is high; the reset of the IOP does not.
#pragma once

#include "model/peripherals/axi_gpio.hpp"

namespace gapless {

class HostInterrupt final : public Peripheral {
public:
    HostInterrupt() : gpio_({AxiGpioChannel{1, 0, 0, false, true}, AxiGpioChannel{0}}) {
        gpio_.pin(0, 0).connect([this](bool level, Time now) {
            if (level && !acknowledged_) interrupt.drive(true, now);
        });
    }

    std::uint32_t read(std::uint32_t offset, Time now) override { return gpio_.read(offset, now); }
    void write(std::uint32_t offset, std::uint32_t value, Time now) override { gpio_.write(offset, value, now); }
    bool steady(std::uint32_t offset) const override { return gpio_.steady(offset); }
    void reset(Time now) override { gpio_.reset(now); }

    void set_acknowledge(bool level, Time now) {
        acknowledged_ = level;
        if (level) interrupt.drive(false, now);
    }

private:
    AxiGpio gpio_;
    bool acknowledged_ = false;
};

}  // namespace gapless
