// Writes one word where the host says, be it anybody's.
#include "../ddr.h"
#include "../mailbox.h"

enum {
    TARGET,  // physical address: starts, and is cleared when the word is written
    VALUE,
};

int main(void) {
    for (;;) {
        const uint32_t target = mailbox[TARGET];
        if (target == 0) continue;
        *(volatile uint32_t *)window_address(target) = mailbox[VALUE];
        mailbox[TARGET] = 0;
    }
}
