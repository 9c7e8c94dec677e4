// How an IOP interrupts the host in PYNQ's designs: an AXI GPIO of one pin, and a latch that is set while this pin is
// high. A pin of the host's clears the latch, and keeps it clear for as long as it is high. (boards/Pynq-Z2/base/base.tcl
// and dff_en_reset_vector.v in PYNQ's sources; both are outside of the IOP's reset.)
#pragma once

#include "model/peripherals/axi_gpio.hpp"

namespace gapless {

class HostInterrupt final : public Peripheral {
public:
    HostInterrupt() : gpio_({AxiGpioChannel{1, 0, 0, false, true}, AxiGpioChannel{0}}) {
        gpio_.pin(0, 0).connect([this](bool, Time now) { look(now); });
    }

    std::uint32_t read(std::uint32_t offset, Time now) override { return gpio_.read(offset, now); }
    void write(std::uint32_t offset, std::uint32_t value, Time now) override { gpio_.write(offset, value, now); }
    bool steady(std::uint32_t offset) const override { return gpio_.steady(offset); }
    void reset(Time) override {}

    void set_acknowledge(bool level, Time now) {
        acknowledged_ = level;
        look(now);
    }

private:
    void look(Time now) {
        if (acknowledged_)
            interrupt.drive(false, now);
        else if (gpio_.output(0) != 0)
            interrupt.drive(true, now);
    }

    AxiGpio gpio_;
    bool acknowledged_ = false;
};

}  // namespace gapless
