// The PS's GPIO controller, of a Zynq-7000 (UG585, chapter "General Purpose I/O" and appendix "GPIO Controller") or a
// ZynqMP (UG1085, chapter "General Purpose I/O"; UG1087, "GPIO Module").
//
// Its interrupt registers hold what is written, but nothing raises an interrupt.
#pragma once

#include <vector>

#include "model/peripheral.hpp"

namespace gapless {

struct PsGpioLayout {
    std::vector<unsigned> widths;  // of the banks
    std::size_t first_emio_bank;
};

const PsGpioLayout& ps_gpio_7000();
const PsGpioLayout& ps_gpio_mp();

class PsGpio final : public Peripheral {
public:
    explicit PsGpio(const PsGpioLayout& layout);

    std::uint32_t read(std::uint32_t offset, Time now) override;
    void write(std::uint32_t offset, std::uint32_t value, Time now) override;
    bool steady(std::uint32_t) const override { return true; }
    void reset(Time now) override;

    // Pins are numbered through all banks, as Linux does: the first of the EMIO is 54 on a Zynq-7000, 78 on a ZynqMP.
    unsigned pin_count() const { return static_cast<unsigned>(pins_.size()); }
    unsigned first_emio_pin() const { return first_emio_pin_; }
    // What the pin drives. An EMIO output has no high impedance: it is low unless it is an output.
    Wire& output(unsigned pin) { return pins_.at(pin); }
    void set_input(unsigned pin, bool level);

private:
    struct Registers {
        std::uint32_t data = 0, direction = 0, output_enable = 0;
        std::uint32_t interrupt_mask = 0, interrupt_type = 0, polarity = 0, any_edge = 0;
    };
    struct Bank : Registers {
        unsigned first_pin = 0, width = 0;
        bool emio = false;
        std::uint32_t mask = 0, input = 0;
        // Where the data register is on the pins.
        std::uint32_t outputs() const { return direction & (emio ? mask : output_enable); }
    };
    std::uint32_t read_settings(const Bank& bank, std::uint32_t offset) const;
    void write_settings(Bank& bank, std::uint32_t offset, std::uint32_t value);
    void drive(Bank& bank, Time now);

    std::vector<Bank> banks_;
    std::vector<Wire> pins_;
    unsigned first_emio_pin_ = 0;
};

}  // namespace gapless
