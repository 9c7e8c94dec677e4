// What is on the wires: the serial peripherals of an IOP, where PYNQ's base designs have them.
#pragma once

#include <stdint.h>

// UART Lite, PG142, "Register Space".
struct uart {
    uint32_t receive, transmit, status, control;
};
#define UART ((volatile struct uart *)0x40600000u)
enum { UART_RECEIVED = 1 << 0, UART_SENDING_FULL = 1 << 3, UART_INTERRUPT = 1 << 4 };

// AXI IIC, PG090, "Register Space".
struct iic {
    uint32_t unused[8], events, more[55], control, status, transmit, receive, address, sent, received, ten_bits, depth;
};
#define IIC ((volatile struct iic *)0x40800000u)
enum { IIC_ENABLE = 1 << 0, IIC_RESET_TRANSMIT = 1 << 1 };
enum { IIC_BUSY = 1 << 2, IIC_RECEIVED_NOTHING = 1 << 6 };  // of the status
enum { IIC_ERROR = 1 << 1 };                                // of the events: nobody acknowledged
enum { IIC_START = 1 << 8, IIC_STOP = 1 << 9 };             // of a word to send, in dynamic mode

// AXI Quad SPI, PG153, "Register Space".
struct spi {
    uint32_t unused[24], control, status, transmit, receive, select;
};
#define SPI ((volatile struct spi *)0x44A10000u)
enum {
    SPI_ENABLE = 1 << 1,
    SPI_MASTER = 1 << 2,
    SPI_RESET_FIFOS = 3 << 5,
    SPI_MANUAL_SELECT = 1 << 7,
};
enum { SPI_SENT_ALL = 1 << 2, SPI_SENDING_FULL = 1 << 3 };  // of the status

_Static_assert(sizeof(struct iic) == 0x124 && sizeof(struct spi) == 0x74, "the registers are where they are");
