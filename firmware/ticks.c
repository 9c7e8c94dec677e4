// Counts the interrupts of a timer.
#include "mailbox.h"
#include "registers.h"

enum {
    PERIOD,  // cycles from tick to tick: starts; another value starts anew, 0 stops. At least 1000, see below
    TICKS,   // since PERIOD was written
};
// A tick is counted some hundred cycles after it happened, more where the buses are slow. A second one before that is
// not seen: the timer has one flag. Therefore the least period.

enum { RUN = TIMER_DOWN | TIMER_RELOAD | TIMER_INTERRUPT | TIMER_ENABLE };

// The attribute makes it crt0.S's _interrupt_handler, which saves what it uses, MSR included, and returns with rtid.
// The interrupt controller remembers a level until it is acknowledged, so the timer has to let go first.
__attribute__((interrupt_handler)) void count_tick(void);

void count_tick(void) {
    if (TIMER->control & TIMER_EXPIRED) {
        mailbox[TICKS] += 1;
        TIMER->control = RUN | TIMER_EXPIRED;
    }
    INTERRUPTS->acknowledge = TIMER_INPUT;
}

static void begin(uint32_t period) {
    hold_interrupts();
    TIMER->control = TIMER_EXPIRED;  // stops
    INTERRUPTS->acknowledge = TIMER_INPUT;
    INTERRUPTS->enable = TIMER_INPUT;
    INTERRUPTS->master = MASTER_ENABLE;
    mailbox[TICKS] = 0;
    if (period == 0) return;
    TIMER->load = period - TIMER_EXTRA_CYCLES;
    TIMER->control = TIMER_LOAD;
    TIMER->control = RUN;
    allow_interrupts();
}

int main(void) {
    uint32_t period = 0;
    for (;;) {
        const uint32_t wanted = mailbox[PERIOD];
        if (wanted == period) continue;
        period = wanted;
        begin(period);
    }
}
