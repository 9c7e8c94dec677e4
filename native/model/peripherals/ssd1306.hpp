// The display of a Pmod OLED: a Solomon Systech SSD1306 with a panel of 128 by 32, on SPI with a data/command line (its
// data sheet, "Command Table").
//
// Scrolling, contrast and the power supplies are accepted and change nothing.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>

#include "model/peripherals/spi_target.hpp"

namespace gapless {

class Ssd1306 final : public SpiTarget {
public:
    static constexpr unsigned columns = 128, rows = 32;
    using Pixels = std::array<std::uint8_t, columns * rows>;

    // All from any thread.
    std::uint8_t exchange(std::uint8_t byte) override;
    void set_data(bool data);  // the level of the line D/C: high for data
    bool data() const;
    // What one sees, row by row from the upper left: 1 for a lit pixel. Upper left is where the controller counts from
    // when columns and rows are both remapped (commands 0xA1 and 0xC8), as the Pmod's panel is mounted.
    Pixels pixels() const;

private:
    static constexpr unsigned pages = 8, lines = 64;
    enum class Addressing : std::uint8_t { horizontal = 0, vertical = 1, page = 2 };

    void command(std::uint8_t byte);
    void argument(std::uint8_t byte);
    void draw(std::uint8_t byte);

    mutable std::mutex mutex_;
    std::array<std::array<std::uint8_t, columns>, pages> memory_{};
    bool data_ = false;
    std::uint8_t command_ = 0;
    unsigned arguments_left_ = 0, argument_index_ = 0;

    Addressing addressing_ = Addressing::page;
    unsigned column_ = 0, page_ = 0;
    unsigned first_column_ = 0, last_column_ = columns - 1, first_page_ = 0, last_page_ = pages - 1;
    unsigned start_line_ = 0, offset_ = 0;
    bool on_ = false, inverted_ = false, all_on_ = false, columns_remapped_ = false, rows_remapped_ = false;
};

}  // namespace gapless
