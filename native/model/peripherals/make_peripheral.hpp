// Peripherals by name.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "model/peripheral.hpp"

namespace gapless {

// std::invalid_argument when the kind, or one of its parameters, does not exist, or a value cannot be; it says what can.
std::unique_ptr<Peripheral> make_peripheral(const std::string& kind, const std::map<std::string, double>& parameters);

}  // namespace gapless
