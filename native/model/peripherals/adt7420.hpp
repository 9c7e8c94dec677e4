// The temperature sensor of a Pmod TMP2: Analog Devices' ADT7420 (its data sheet, "Register Map").
//
// It measures at once: there is no conversion time, and its interrupt pins are not wired.
#pragma once

#include <array>
#include <atomic>

#include "model/peripherals/iic_target.hpp"

namespace gapless {

class Adt7420 final : public IicTarget {
public:
    static constexpr std::uint8_t default_address = 0x4B;  // on the Pmod, with both jumpers open

    Adt7420() { reset(); }

    // From any thread. In degrees Celsius, rounded to 1/128 and limited to what 16 bits hold, -256 to almost 256.
    void set_temperature(double celsius);
    double temperature() const { return code_.load() / 128.0; }

    bool start(bool reading) override;
    bool write(std::uint8_t byte) override;
    std::uint8_t read() override;

private:
    void reset();
    std::uint8_t value(std::uint8_t index) const;
    int limit(std::uint8_t index) const;
    std::uint8_t flags() const;

    std::array<std::uint8_t, 16> registers_{};
    std::atomic<int> code_{25 * 128};  // the temperature in 1/128 of a degree
    // The address pointer counts "within the same transaction" (data sheet, "Temperature Value Registers"): a program
    // reads the temperature again without setting it again, as PYNQ's for the Pmod TMP2 does.
    std::uint8_t pointer_ = 0, position_ = 0;
    bool pointer_follows_ = false;  // the next byte written is the register's number
};

}  // namespace gapless
