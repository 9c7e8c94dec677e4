// Draws on the display of a Pmod OLED: SPI, with its data/command line on pin 4 of the GPIO.
#include "../mailbox.h"
#include "../registers.h"
#include "serial.h"

#define PINS ((volatile struct gpio *)0x40000000u)
enum { DATA_LINE = 1 << 4 };

enum {
    PAGE,    // of eight rows
    COLUMN,  // 0 to 127
    COUNT,   // bytes
    PICTURE = 16,  // a byte in each word: eight pixels below each other, the uppermost in bit 0
};
// Commands:
enum { BEGIN = 1, DRAW = 2 };

static void send(uint32_t byte) {
    while (SPI->status & SPI_SENDING_FULL) {}
    SPI->transmit = byte;
}

// The line may change only between two bytes.
static void choose(uint32_t line) {
    while (!(SPI->status & SPI_SENT_ALL)) {}
    PINS->data = line;
}

static void begin(void) {
    static const uint8_t settings[] = {0xA1, 0xC8, 0x20, 0x02, 0xAF};  // upper left is 0, pages, on
    PINS->direction = 0;
    SPI->control = SPI_MASTER | SPI_ENABLE | SPI_MANUAL_SELECT | SPI_RESET_FIFOS;
    SPI->select = ~1u;
    choose(0);
    for (uint32_t i = 0; i < sizeof settings; ++i) send(settings[i]);
}

static void draw(void) {
    const uint32_t column = mailbox[COLUMN];
    choose(0);
    send(0xB0 | mailbox[PAGE]);
    send(column & 0xF);
    send(0x10 | column >> 4);
    choose(DATA_LINE);
    const uint32_t count = mailbox[COUNT];
    for (uint32_t i = 0; i < count; ++i) send(mailbox[PICTURE + i]);
}

int main(void) {
    for (;;) {
        const uint32_t command = mailbox[COMMAND_WORD];
        if (command == 0) continue;
        if (command == BEGIN) begin();
        if (command == DRAW) draw();
        while (!(SPI->status & SPI_SENT_ALL)) {}
        mailbox[COMMAND_WORD] = 0;
    }
}
