// Loads a word from wherever the host says.
#include "../ddr.h"
#include "../mailbox.h"

enum {
    TARGET,  // physical address: starts, and is cleared by a processor that went on
    VALUE,   // what was there
};

int main(void) {
    for (;;) {
        const uint32_t target = mailbox[TARGET];
        if (target == 0) continue;
        mailbox[VALUE] = *(volatile uint32_t *)window_address(target);
        mailbox[TARGET] = 0;
    }
}
