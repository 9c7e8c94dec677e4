// What wrong software did: caught and named, not tolerated.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "time.hpp"

namespace gapless {

struct Finding {
    Time time;
    std::string kind;
    std::string text;
    std::uint64_t address;
};

class Findings {
public:
    void add(Time time, const char* kind, std::string text, std::uint64_t address) {
        // A loop that does the same wrong thing a million times is one finding.
        for (const auto& known : list_)
            if (known.kind == kind && known.text == text) return;
        if (list_.size() < limit) list_.push_back({time, kind, std::move(text), address});
    }
    const std::vector<Finding>& list() const { return list_; }

private:
    static constexpr std::size_t limit = 256;
    std::vector<Finding> list_;
};

std::string hex(std::uint64_t value);

}  // namespace gapless
