#include "model/peripherals/ssd1306.hpp"

namespace gapless {

namespace {

// How many bytes follow a command.
unsigned argument_count(std::uint8_t command) {
    switch (command) {
        case 0x26: case 0x27: return 6;             // horizontal scroll
        case 0x29: case 0x2A: return 5;             // vertical and horizontal scroll
        case 0x21: case 0x22: case 0xA3: return 2;  // column and page range; vertical scroll area
        case 0x20: case 0x81: case 0x8D: case 0xA8: case 0xD3: case 0xD5: case 0xD9: case 0xDA: case 0xDB: return 1;
        default: return 0;
    }
}

}  // namespace

std::uint8_t Ssd1306::exchange(std::uint8_t byte) {
    const std::lock_guard lock(mutex_);
    if (data_)
        draw(byte);
    else if (arguments_left_ > 0)
        argument(byte);
    else
        command(byte);
    return 0;  // it has no output
}

void Ssd1306::set_data(bool data) {
    const std::lock_guard lock(mutex_);
    data_ = data;
}

bool Ssd1306::data() const {
    const std::lock_guard lock(mutex_);
    return data_;
}

void Ssd1306::command(std::uint8_t byte) {
    command_ = byte;
    arguments_left_ = argument_count(byte);
    argument_index_ = 0;
    if (byte <= 0x0F) {
        column_ = (column_ & 0x70) | byte;
    } else if (byte <= 0x1F) {
        column_ = (column_ & 0x0F) | (byte & 0x07u) << 4;
    } else if (byte >= 0x40 && byte <= 0x7F) {
        start_line_ = byte & 0x3Fu;
    } else if (byte >= 0xB0 && byte <= 0xB7) {
        page_ = byte & 0x07u;
    } else {
        switch (byte) {
            case 0xA0: case 0xA1: columns_remapped_ = byte == 0xA1; break;
            case 0xA4: case 0xA5: all_on_ = byte == 0xA5; break;
            case 0xA6: case 0xA7: inverted_ = byte == 0xA7; break;
            case 0xAE: case 0xAF: on_ = byte == 0xAF; break;
            case 0xC0: case 0xC8: rows_remapped_ = byte == 0xC8; break;
            default: break;
        }
    }
}

void Ssd1306::argument(std::uint8_t byte) {
    const bool first = argument_index_++ == 0;
    --arguments_left_;
    switch (command_) {
        case 0x20:
            if (byte <= 2) addressing_ = static_cast<Addressing>(byte);
            break;
        case 0x21:
            (first ? first_column_ : last_column_) = byte & 0x7Fu;
            if (first) column_ = first_column_;
            break;
        case 0x22:
            (first ? first_page_ : last_page_) = byte & 0x07u;
            if (first) page_ = first_page_;
            break;
        case 0xD3: offset_ = byte & 0x3Fu; break;
        default: break;
    }
}

// Eight pixels below each other, the uppermost in bit 0 (data sheet, "Graphic Display Data RAM").
void Ssd1306::draw(std::uint8_t byte) {
    // The mapping of columns is where a byte goes, not how it is shown.
    memory_[page_][columns_remapped_ ? column_ : columns - 1 - column_] = byte;
    const auto next = [](unsigned& position, unsigned first, unsigned last, unsigned end) {
        const bool wraps = position == last;
        position = wraps ? first : (position + 1) % end;
        return wraps;
    };
    switch (addressing_) {
        case Addressing::page: next(column_, 0, columns - 1, columns); break;
        case Addressing::horizontal:
            if (next(column_, first_column_, last_column_, columns)) next(page_, first_page_, last_page_, pages);
            break;
        case Addressing::vertical:
            if (next(page_, first_page_, last_page_, pages)) next(column_, first_column_, last_column_, columns);
            break;
    }
}

Ssd1306::Pixels Ssd1306::pixels() const {
    const std::lock_guard lock(mutex_);
    Pixels result{};
    if (!on_) return result;
    for (unsigned row = 0; row < rows; ++row) {
        const unsigned line = ((rows_remapped_ ? row : rows - 1 - row) + start_line_ + offset_) % lines;
        for (unsigned column = 0; column < columns; ++column) {
            const bool stored = (memory_[line / 8][column] >> line % 8 & 1) != 0;
            result[row * columns + column] = all_on_ || stored != inverted_ ? 1 : 0;
        }
    }
    return result;
}

}  // namespace gapless
