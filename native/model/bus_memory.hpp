// Memory in the PL as the host's bus sees it: BRAM, which programs use like registers.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "model/component.hpp"

namespace gapless {

class BusMemory final : public Device {
public:
    // `data` is behind its first address; `owner` keeps it alive.
    BusMemory(std::uint8_t* data, std::shared_ptr<void> owner) : data_(data), owner_(std::move(owner)) {}

    std::uint32_t read(std::uint32_t offset, Time) override {
        std::uint32_t value = 0;
        std::memcpy(&value, data_ + offset, sizeof value);
        return value;
    }
    void write(std::uint32_t offset, std::uint32_t value, Time) override {
        std::memcpy(data_ + offset, &value, sizeof value);
    }

private:
    std::uint8_t* const data_;
    const std::shared_ptr<void> owner_;
};

}  // namespace gapless
