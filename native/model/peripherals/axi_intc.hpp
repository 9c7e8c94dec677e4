// AXI Interrupt Controller (PG099) with up to 32 inputs. Fast interrupts and nesting (ILR) are left out.
#pragma once

#include "model/peripheral.hpp"

namespace gapless {

class AxiIntc final : public Peripheral {
public:
    // A bit of `edges` is 1 for an input that a rising edge triggers, and 0 for a high level.
    AxiIntc(unsigned inputs, std::uint32_t edges)
        : mask_(static_cast<std::uint32_t>((std::uint64_t{1} << inputs) - 1)), edges_(edges & mask_) {}

    std::uint32_t read(std::uint32_t offset, Time now) override;
    void write(std::uint32_t offset, std::uint32_t value, Time now) override;
    bool steady(std::uint32_t) const override { return true; }
    void reset(Time now) override;

    bool has_input(unsigned input) const { return input < 32 && (mask_ >> input & 1) != 0; }
    // The wire drives this input from now on, and holds this controller's address.
    void connect(unsigned input, Wire& wire);
    void set_input(unsigned input, bool level, Time now);

private:
    std::uint32_t pending() const { return status_ & enable_; }
    void update(Time now);

    const std::uint32_t mask_, edges_;
    std::uint32_t levels_ = 0;
    std::uint32_t latched_ = 0;  // what the inputs have asked for since the last acknowledge
    std::uint32_t status_ = 0, enable_ = 0, master_ = 0;
};

}  // namespace gapless
