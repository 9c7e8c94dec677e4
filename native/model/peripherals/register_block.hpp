// Plain 32-bit registers: PYNQ's pin switch (io_switch), which routes the pins of a connector, and the values of an XADC.
#pragma once

#include <algorithm>
#include <vector>

#include "model/peripheral.hpp"

namespace gapless {

class RegisterBlock final : public Peripheral {
public:
    // `writable`: by the bus; set() always works.
    RegisterBlock(std::size_t words, bool writable) : words_(words), writable_(writable) {}

    std::uint32_t read(std::uint32_t offset, Time) override {
        return offset / 4 < words_.size() ? words_[offset / 4] : 0;
    }
    void write(std::uint32_t offset, std::uint32_t value, Time) override {
        if (writable_ && offset / 4 < words_.size()) words_[offset / 4] = value;
    }
    bool steady(std::uint32_t) const override { return true; }
    void reset(Time) override {
        if (writable_) std::fill(words_.begin(), words_.end(), 0);
    }

    std::size_t words() const { return words_.size(); }
    void set(std::size_t word, std::uint32_t value) { words_.at(word) = value; }

private:
    std::vector<std::uint32_t> words_;
    const bool writable_;
};

}  // namespace gapless
