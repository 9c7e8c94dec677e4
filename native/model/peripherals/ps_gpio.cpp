#include "model/peripherals/ps_gpio.hpp"

#include <stdexcept>

namespace gapless {

namespace {

enum Offset : std::uint32_t {
    mask_data = 0x000,  // MASK_DATA_n_LSW at 8 n, MASK_DATA_n_MSW 4 bytes behind it
    data = 0x040,       // DATA_n at 4 n from here
    data_ro = 0x060,    // DATA_n_RO
    settings = 0x200,   // the others of bank n at 0x40 n from here
};

enum Setting : std::uint32_t {
    dirm = 0x04, oen = 0x08, int_mask = 0x0C, int_en = 0x10, int_dis = 0x14, int_stat = 0x18, int_type = 0x1C,
    int_polarity = 0x20, int_any = 0x24, settings_stride = 0x40,
};

}  // namespace

const PsGpioLayout& ps_gpio_7000() {
    static const PsGpioLayout layout{{32, 22, 32, 32}, 2};
    return layout;
}

const PsGpioLayout& ps_gpio_mp() {
    static const PsGpioLayout layout{{26, 26, 26, 32, 32, 32}, 3};
    return layout;
}

PsGpio::PsGpio(const PsGpioLayout& layout) {
    unsigned pin = 0;
    for (std::size_t i = 0; i < layout.widths.size(); ++i) {
        if (i == layout.first_emio_bank) first_emio_pin_ = pin;
        Bank bank;
        bank.first_pin = pin;
        bank.width = layout.widths[i];
        bank.emio = i >= layout.first_emio_bank;
        bank.mask = static_cast<std::uint32_t>((std::uint64_t{1} << bank.width) - 1);
        banks_.push_back(bank);
        pin += bank.width;
    }
    pins_.resize(pin);
    reset(0);
}

void PsGpio::reset(Time now) {
    for (Bank& bank : banks_) {
        Registers& registers = bank;
        registers = {};
        bank.interrupt_type = bank.mask;
        drive(bank, now);
    }
}

std::uint32_t PsGpio::read(std::uint32_t offset, Time) {
    const auto bank_at = [this](std::uint32_t index) { return index < banks_.size() ? &banks_[index] : nullptr; };
    if (offset >= settings) {
        const Bank* bank = bank_at((offset - settings) / settings_stride);
        return bank != nullptr ? read_settings(*bank, offset % settings_stride) : 0;
    }
    if (offset >= data_ro) {
        const Bank* bank = bank_at((offset - data_ro) / 4);
        return bank != nullptr ? (bank->data & bank->outputs()) | (bank->input & ~bank->outputs()) : 0;
    }
    if (offset >= data) {
        const Bank* bank = bank_at((offset - data) / 4);
        return bank != nullptr ? bank->data : 0;
    }
    const Bank* bank = bank_at(offset / 8);
    return bank != nullptr ? bank->data >> (offset % 8 != 0 ? 16 : 0) & 0xFFFF : 0;
}

void PsGpio::write(std::uint32_t offset, std::uint32_t value, Time now) {
    const std::uint32_t index = offset >= settings ? (offset - settings) / settings_stride
                                : offset >= data   ? (offset - data) / 4
                                                   : offset / 8;
    if (index >= banks_.size()) return;
    Bank& bank = banks_[index];
    if (offset >= settings) {
        write_settings(bank, offset % settings_stride, value & bank.mask);
    } else if (offset >= data_ro) {
        return;
    } else if (offset >= data) {
        bank.data = value & bank.mask;
    } else {
        // The upper half says which bits of the lower half not to write.
        const unsigned shift = offset % 8 != 0 ? 16 : 0;
        const std::uint32_t changed = (~(value >> 16) & 0xFFFF) << shift & bank.mask;
        bank.data = (bank.data & ~changed) | ((value & 0xFFFF) << shift & changed);
    }
    drive(bank, now);
}

std::uint32_t PsGpio::read_settings(const Bank& bank, std::uint32_t offset) const {
    switch (offset) {
        case dirm: return bank.direction;
        case oen: return bank.output_enable;
        case int_mask: return bank.interrupt_mask;
        case int_type: return bank.interrupt_type;
        case int_polarity: return bank.polarity;
        case int_any: return bank.any_edge;
        default: return 0;
    }
}

void PsGpio::write_settings(Bank& bank, std::uint32_t offset, std::uint32_t value) {
    switch (offset) {
        case dirm: bank.direction = value; break;
        case oen: bank.output_enable = value; break;
        case int_en: bank.interrupt_mask &= ~value; break;
        case int_dis: bank.interrupt_mask |= value; break;
        case int_type: bank.interrupt_type = value; break;
        case int_polarity: bank.polarity = value; break;
        case int_any: bank.any_edge = value; break;
        default: break;
    }
}

void PsGpio::set_input(unsigned pin, bool level) {
    for (Bank& bank : banks_) {
        if (pin < bank.first_pin || pin - bank.first_pin >= bank.width) continue;
        const std::uint32_t bit = 1u << (pin - bank.first_pin);
        bank.input = level ? bank.input | bit : bank.input & ~bit;
        return;
    }
    throw std::out_of_range("the controller has no such pin");
}

void PsGpio::drive(Bank& bank, Time now) {
    const std::uint32_t levels = bank.data & bank.outputs();
    for (unsigned bit = 0; bit < bank.width; ++bit)
        pins_[bank.first_pin + bit].drive((levels >> bit & 1) != 0, now);
}

}  // namespace gapless
