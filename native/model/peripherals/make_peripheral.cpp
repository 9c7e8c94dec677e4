#include "model/peripherals/make_peripheral.hpp"

#include <cmath>
#include <stdexcept>
#include <vector>

#include "model/peripherals/axi_gpio.hpp"
#include "model/peripherals/axi_iic.hpp"
#include "model/peripherals/axi_intc.hpp"
#include "model/peripherals/axi_timer.hpp"
#include "model/peripherals/host_interrupt.hpp"
#include "model/peripherals/ps_gpio.hpp"
#include "model/peripherals/quad_spi.hpp"
#include "model/peripherals/register_block.hpp"
#include "model/peripherals/uart_lite.hpp"

namespace gapless {

namespace {

// A whole number, with what it is when nobody says and what it may be.
struct Parameter {
    const char* name;
    double otherwise, least, most;
};

// Whose names and ranges were checked.
class Values {
public:
    Values(const std::vector<Parameter>& known, const std::map<std::string, double>& given) {
        for (const Parameter& parameter : known) values_[parameter.name] = parameter.otherwise;
        for (const auto& [name, value] : given) values_[name] = value;
    }
    std::int64_t number(const std::string& name) const { return static_cast<std::int64_t>(values_.at(name)); }
    unsigned small(const std::string& name) const { return static_cast<unsigned>(number(name)); }
    bool flag(const std::string& name) const { return number(name) != 0; }

private:
    std::map<std::string, double> values_;
};

using Maker = std::unique_ptr<Peripheral> (*)(const Values&);

struct Kind {
    std::vector<Parameter> parameters;
    Maker make;
};

constexpr double words32 = 4294967295.0;
constexpr Parameter clock{"clock", 100e6, 1e3, 1e9};  // in Hz

std::unique_ptr<Peripheral> make_gpio(const Values& values) {
    const auto channel = [&](const std::string& suffix) {
        return AxiGpioChannel{values.small("width" + suffix), values.small("data" + suffix),
                              values.small("tristate" + suffix), values.flag("all_inputs" + suffix),
                              values.flag("all_outputs" + suffix)};
    };
    return std::make_unique<AxiGpio>(std::array{channel(""), channel("2")});
}

const std::map<std::string, Kind>& kinds() {
    static const std::map<std::string, Kind> all{
        {"axi-gpio",
         {{{"width", 32, 1, 32}, {"data", 0, 0, words32}, {"tristate", words32, 0, words32},
           {"all_inputs", 0, 0, 1}, {"all_outputs", 0, 0, 1}, {"width2", 0, 0, 32}, {"data2", 0, 0, words32},
           {"tristate2", words32, 0, words32}, {"all_inputs2", 0, 0, 1}, {"all_outputs2", 0, 0, 1}},
          make_gpio}},
        {"axi-timer",
         {{clock}, [](const Values& v) -> std::unique_ptr<Peripheral> {
              return std::make_unique<AxiTimer>(v.number("clock"));
          }}},
        {"axi-intc",
         {{{"inputs", 32, 1, 32}, {"edges", 0, 0, words32}}, [](const Values& v) -> std::unique_ptr<Peripheral> {
              return std::make_unique<AxiIntc>(v.small("inputs"), v.small("edges"));
          }}},
        {"uart-lite",
         {{clock, {"baud", 115200, 110, 1e6}}, [](const Values& v) -> std::unique_ptr<Peripheral> {
              return std::make_unique<UartLite>(v.number("clock"), v.number("baud"));
          }}},
        {"axi-iic",
         {{{"clock", 100e6, 25e6, 1e9}, {"scl", 100e3, 1e3, 1e6}}, [](const Values& v) -> std::unique_ptr<Peripheral> {
              return std::make_unique<AxiIic>(v.number("clock"), v.number("scl"));
          }}},
        {"quad-spi",
         {{clock, {"ratio", 16, 2, 2048}, {"fifo_depth", 16, 16, 256}, {"slaves", 1, 1, 32}},
          [](const Values& v) -> std::unique_ptr<Peripheral> {
              return std::make_unique<QuadSpi>(v.number("clock"), v.small("ratio"), v.small("fifo_depth"),
                                               v.small("slaves"));
          }}},
        {"pin-switch",
         {{{"words", 16, 1, 1024}}, [](const Values& v) -> std::unique_ptr<Peripheral> {
              return std::make_unique<RegisterBlock>(v.small("words"), true);
          }}},
        {"xadc",
         {{{"words", 256, 1, 1024}}, [](const Values& v) -> std::unique_ptr<Peripheral> {
              return std::make_unique<RegisterBlock>(v.small("words"), false);
          }}},
        {"host-interrupt",
         {{}, [](const Values&) -> std::unique_ptr<Peripheral> { return std::make_unique<HostInterrupt>(); }}},
        {"ps-gpio-7000",
         {{}, [](const Values&) -> std::unique_ptr<Peripheral> { return std::make_unique<PsGpio>(ps_gpio_7000()); }}},
        {"ps-gpio-mp",
         {{}, [](const Values&) -> std::unique_ptr<Peripheral> { return std::make_unique<PsGpio>(ps_gpio_mp()); }}},
    };
    return all;
}

std::string text(double value) {
    return value == std::floor(value) && std::abs(value) < 1e15 ? std::to_string(static_cast<std::int64_t>(value))
                                                                : std::to_string(value);
}

template <typename Range, typename Name>
std::string listed(const Range& range, Name name) {
    std::string list;
    for (const auto& item : range) list += (list.empty() ? "" : ", ") + std::string(name(item));
    return list;
}

void check(const std::string& kind, const std::vector<Parameter>& known, const std::string& name, double value) {
    for (const Parameter& parameter : known) {
        if (name != parameter.name) continue;
        if (value >= parameter.least && value <= parameter.most && value == std::floor(value)) return;
        throw std::invalid_argument(kind + ": " + name + " is " + text(value) + "; it is a whole number from " +
                                    text(parameter.least) + " to " + text(parameter.most));
    }
    const std::string names = listed(known, [](const Parameter& parameter) { return parameter.name; });
    throw std::invalid_argument(kind + " has no parameter '" + name + "'; " +
                                (names.empty() ? "it has none" : "it has " + names));
}

}  // namespace

std::unique_ptr<Peripheral> make_peripheral(const std::string& kind, const std::map<std::string, double>& parameters) {
    const auto found = kinds().find(kind);
    if (found == kinds().end())
        throw std::invalid_argument("no peripheral '" + kind + "'; there are " +
                                    listed(kinds(), [](const auto& item) { return item.first; }));
    for (const auto& [name, value] : parameters) check(kind, found->second.parameters, name, value);
    return found->second.make(Values(found->second.parameters, parameters));
}

}  // namespace gapless
