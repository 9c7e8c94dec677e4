// Names for the registers of AXI IIC and their bits (PG090, "Register Space").
#pragma once

#include <cstdint>

namespace gapless::iic {

enum Offset : std::uint32_t {
    interrupts = 0x01C,  // GIE; ISR is at 0x020, IER at 0x028
    softr = 0x040, cr = 0x100, sr = 0x104, tx_fifo = 0x108, rx_fifo = 0x10C, adr = 0x110, tx_fifo_ocy = 0x114,
    rx_fifo_ocy = 0x118, ten_adr = 0x11C, rx_fifo_pirq = 0x120, gpo = 0x124, timing = 0x128, end = 0x148,
};

enum Control : std::uint32_t {
    enable = 1u << 0,
    transmit_reset = 1u << 1,
    master = 1u << 2,  // MSMS: a start when it becomes 1, a stop when it becomes 0
    transmit_direction = 1u << 3,
    no_acknowledge = 1u << 4,
    repeated_start = 1u << 5,  // RSTA: 0 again when the start is on the bus
    control_bits = 0x7F,
};

enum Status : std::uint32_t {
    bus_busy = 1u << 2, transmit_full = 1u << 4, receive_full = 1u << 5, receive_empty = 1u << 6,
    transmit_empty = 1u << 7,
};

enum Event : std::uint32_t {
    event_transmit_error = 1u << 1,
    event_transmit_empty = 1u << 2,  // the bus waits for a byte to send
    event_receive_full = 1u << 3,    // as many bytes as RX_FIFO_PIRQ says
    event_bus_not_busy = 1u << 4,
    event_not_addressed = 1u << 6,
    event_half_empty = 1u << 7,
};

// Of a word in the transmit FIFO, for the dynamic mode.
enum Word : std::uint16_t { word_start = 1u << 8, word_stop = 1u << 9, word_bits = 0x3FF };

constexpr std::uint32_t reset_key = 0xA;

}  // namespace gapless::iic
