// Pins 0 to 3 drive the inverse of pins 4 to 7, whenever these change.
#include "../mailbox.h"
#include "../registers.h"

enum {
    CHANGES,  // interrupts
    INPUTS,   // at the last one
};
// AXI GPIO with interrupts, PG144, "Register Space".
struct pins {
    uint32_t data, direction, unused[69], global_enable, events, more, event_enable;
};
#define PINS ((volatile struct pins *)0x40000000u)
_Static_assert(sizeof(struct pins) == 0x12C, "the registers are where they are");
enum { PINS_INPUT = 1 << 3, FIRST_CHANNEL = 1 };

__attribute__((interrupt_handler)) void copy_pins(void);

void copy_pins(void) {
    PINS->events = PINS->events & FIRST_CHANNEL;  // 1 is written to clear it
    const uint32_t inputs = PINS->data >> 4 & 0xF;
    PINS->data = ~inputs & 0xF;
    mailbox[INPUTS] = inputs;
    mailbox[CHANGES] += 1;
    INTERRUPTS->acknowledge = PINS_INPUT;
}

int main(void) {
    PINS->direction = 0xF0;
    PINS->event_enable = FIRST_CHANNEL;
    PINS->global_enable = 1u << 31;
    INTERRUPTS->enable = PINS_INPUT;
    INTERRUPTS->master = MASTER_ENABLE;
    allow_interrupts();
    for (;;) {}
}
