// Registers of the PS that hold settings, of which its clocks are what programs look at: the slcr of a Zynq-7000 (UG585,
// appendix "System Level Control Registers"), CRL_APB and CRF_APB of a ZynqMP (UG1087). Nothing follows from a write.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>

#include "model/peripheral.hpp"

namespace gapless {

class PsRegisters final : public Peripheral {
public:
    // `values` by offset; the others are 0. `locks`: there is a lock, as the slcr has, and it is closed when `locked`.
    PsRegisters(const std::map<std::uint32_t, std::uint32_t>& values, bool locks, bool locked)
        : words_(values.begin(), values.end()), locks_(locks), locked_(locked) {}

    std::uint32_t read(std::uint32_t offset, Time now) override;
    void write(std::uint32_t offset, std::uint32_t value, Time now) override;
    bool stirs() const override { return false; }
    bool steady(std::uint32_t) const override { return true; }
    void reset(Time) override {}  // no reset of a soft processor reaches it

private:
    std::unordered_map<std::uint32_t, std::uint32_t> words_;
    const bool locks_;
    bool locked_;
};

}  // namespace gapless
