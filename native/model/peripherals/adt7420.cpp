#include "model/peripherals/adt7420.hpp"

#include <algorithm>
#include <cmath>

namespace gapless {

namespace {

enum Register : std::uint8_t {
    temperature_msb = 0x00, temperature_lsb = 0x01, status = 0x02, configuration = 0x03, high_msb = 0x04,
    low_msb = 0x06, critical_msb = 0x08, hysteresis = 0x0A, identification = 0x0B, software_reset = 0x2F,
};

constexpr std::uint8_t sixteen_bits = 0x80;  // of the configuration; else 13 bits and three flags

}  // namespace

void Adt7420::reset() {
    registers_ = {};
    registers_[high_msb] = 0x20;  // 64 degrees
    registers_[low_msb] = 0x05;   // 10 degrees
    registers_[critical_msb] = 0x49;
    registers_[critical_msb + 1] = 0x80;  // 147 degrees
    registers_[hysteresis] = 5;
    registers_[identification] = 0xCB;
    pointer_ = 0;
}

void Adt7420::set_temperature(double celsius) {
    const double code = std::isfinite(celsius) ? std::round(celsius * 128) : 0;
    code_ = static_cast<int>(std::clamp(code, -32768.0, 32767.0));
}

bool Adt7420::start(bool reading) {
    pointer_follows_ = !reading;
    position_ = pointer_;
    return true;
}

bool Adt7420::write(std::uint8_t byte) {
    if (pointer_follows_) {
        pointer_ = position_ = byte;
        pointer_follows_ = false;
        if (byte == software_reset) reset();
        return true;
    }
    if (position_ >= configuration && position_ <= hysteresis) registers_[position_] = byte;
    ++position_;
    return true;
}

std::uint8_t Adt7420::read() { return value(position_++); }

std::uint8_t Adt7420::value(std::uint8_t index) const {
    const bool wide = (registers_[configuration] & sixteen_bits) != 0;
    const auto code = static_cast<unsigned>(code_.load()) & 0xFFFF;
    switch (index) {
        case temperature_msb: return static_cast<std::uint8_t>(code >> 8);
        case temperature_lsb: return static_cast<std::uint8_t>(wide ? code : (code & 0xF8) | flags());
        case status: return static_cast<std::uint8_t>(flags() << 4);
        default: return index < registers_.size() ? registers_[index] : 0;
    }
}

int Adt7420::limit(std::uint8_t index) const {
    const int code = registers_[index] << 8 | registers_[index + 1u];
    return code < 0x8000 ? code : code - 0x10000;
}

// The flags of the 13-bit temperature: below the low, above the high and above the critical limit.
std::uint8_t Adt7420::flags() const {
    const int code = code_.load();
    return static_cast<std::uint8_t>((code < limit(low_msb) ? 1 : 0) | (code > limit(high_msb) ? 2 : 0) |
                                     (code > limit(critical_msb) ? 4 : 0));
}

}  // namespace gapless
