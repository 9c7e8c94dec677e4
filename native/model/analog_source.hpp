// What is at an ADC's input.
#pragma once

#include <cstdint>
#include <vector>

namespace gapless {

class AnalogSource {
public:
    virtual ~AnalogSource() = default;
    // Bytes [position, position + nbytes) of the signal, counted from the ADC's first sample.
    virtual void read(std::uint64_t position, std::uint32_t nbytes, std::uint8_t* destination) = 0;
    // Whether any stretch can be read at any time, and is the same every time.
    virtual bool lasts() const { return true; }
};

// int16 0, 1, 2, ... 32767, -32768, ...
class CounterSource final : public AnalogSource {
public:
    void read(std::uint64_t position, std::uint32_t nbytes, std::uint8_t* destination) override;
};

// Samples given once, repeated for ever.
class WaveformSource final : public AnalogSource {
public:
    explicit WaveformSource(std::vector<std::uint8_t> samples) : samples_(std::move(samples)) {}
    void read(std::uint64_t position, std::uint32_t nbytes, std::uint8_t* destination) override;

private:
    std::vector<std::uint8_t> samples_;
};

}  // namespace gapless
