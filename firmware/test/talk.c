// Sends back each letter that it receives in the other case. The interrupt handler receives.
#include "../mailbox.h"
#include "../registers.h"
#include "serial.h"

enum {
    RECEIVED,    // bytes
    INTERRUPTS_TAKEN,
};
enum { UART_INPUT = 1 << 4, OTHER_CASE = 0x20 };

static volatile uint8_t queue[256];
static volatile uint32_t written;

__attribute__((interrupt_handler)) void take_bytes(void);

void take_bytes(void) {
    // The controller keeps an edge: it is acknowledged first, so that one that comes meanwhile counts.
    INTERRUPTS->acknowledge = UART_INPUT;
    mailbox[INTERRUPTS_TAKEN] += 1;
    while (UART->status & UART_RECEIVED) {
        queue[written % sizeof queue] = (uint8_t)UART->receive;
        written += 1;
    }
    mailbox[RECEIVED] = written;
}

int main(void) {
    uint32_t sent = 0;
    UART->control = UART_INTERRUPT;
    INTERRUPTS->enable = UART_INPUT;
    INTERRUPTS->master = MASTER_ENABLE;
    allow_interrupts();
    for (;;) {
        if (sent == written) continue;
        while (UART->status & UART_SENDING_FULL) {}
        UART->transmit = queue[sent % sizeof queue] ^ OTHER_CASE;
        sent += 1;
    }
}
