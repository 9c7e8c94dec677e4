// The registers of converters in step: what is written reaches the stream monitors of all of them in the
// same instant, which writes to one after the other cannot do. docs/stream-monitor.md, "Converters in step".
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "model/converter.hpp"

namespace gapless {

class PairMonitor : public Device {
public:
    explicit PairMonitor(std::vector<Converter*> members) : members_(std::move(members)) {}

    std::uint32_t read(std::uint32_t offset, Time now) final {
        return offset == Converter::ident ? identity : members_.front()->read(offset, now);
    }
    void write(std::uint32_t offset, std::uint32_t value, Time now) final {
        if (offset == Converter::control && (value & Converter::clear) != 0) on_clear();
        for (Converter* member : members_) member->write(offset, value, now);
    }

    static constexpr std::uint32_t identity = 0x47504C32;  // "GPL2"

protected:
    // Forget what is between the stream and the converters.
    virtual void on_clear() = 0;

private:
    const std::vector<Converter*> members_;
};

}  // namespace gapless
