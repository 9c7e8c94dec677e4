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
#include "model/peripherals/ps_registers.hpp"
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
    bool has(const std::string& name) const { return values_.count(name) != 0; }

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

struct NamedRegister {
    const char* name;
    std::uint32_t offset;
    double at_reset;
};

// UG585, appendix "slcr"; of PLL_STATUS, what is there when all of them are locked and stable.
constexpr NamedRegister slcr[] = {
    {"arm_pll_ctrl", 0x100, 0x0001A008},   {"ddr_pll_ctrl", 0x104, 0x0001A008},   {"io_pll_ctrl", 0x108, 0x0001A008},
    {"pll_status", 0x10C, 0x3F},           {"arm_clk_ctrl", 0x120, 0x1F000400},   {"fpga0_clk_ctrl", 0x170, 0x00101800},
    {"fpga1_clk_ctrl", 0x180, 0x00101800}, {"fpga2_clk_ctrl", 0x190, 0x00101800}, {"fpga3_clk_ctrl", 0x1A0, 0x00101800},
};
// UG1087, modules CRL_APB and CRF_APB; PLL_STATUS as above.
constexpr NamedRegister crl_apb[] = {
    {"iopll_ctrl", 0x20, 0x00012C09},  {"rpll_ctrl", 0x30, 0x00012C09},   {"pll_status", 0x40, 0x1B},
    {"pl0_ref_ctrl", 0xC0, 0x00052000}, {"pl1_ref_ctrl", 0xC4, 0x00052000}, {"pl2_ref_ctrl", 0xC8, 0x00052000},
    {"pl3_ref_ctrl", 0xCC, 0x00052000},
};
constexpr NamedRegister crf_apb[] = {
    {"apll_ctrl", 0x20, 0x00012C09}, {"dpll_ctrl", 0x2C, 0x00002C09}, {"vpll_ctrl", 0x38, 0x00012809},
    {"pll_status", 0x44, 0x3F},      {"acpu_ctrl", 0x60, 0x03000400},
};

template <const auto& registers>
Kind ps_registers(bool locks) {
    Kind kind;
    for (const NamedRegister& one : registers) kind.parameters.push_back({one.name, one.at_reset, 0, words32});
    if (locks) kind.parameters.push_back({"locked", 1, 0, 1});
    kind.make = [](const Values& values) -> std::unique_ptr<Peripheral> {
        std::map<std::uint32_t, std::uint32_t> words;
        for (const NamedRegister& one : registers) words[one.offset] = values.small(one.name);
        const bool has_lock = values.has("locked");
        return std::make_unique<PsRegisters>(words, has_lock, has_lock && values.flag("locked"));
    };
    return kind;
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
        {"slcr", ps_registers<slcr>(true)},
        {"crl-apb", ps_registers<crl_apb>(false)},
        {"crf-apb", ps_registers<crf_apb>(false)},
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
