// Answers at once: for the time from the host to the IOP and back.
#include "mailbox.h"
#include "registers.h"

enum {
    REQUEST,  // a value other than the last one, 0 at first: starts
    REPLY,    // REQUEST + 1; then the host is interrupted
};

int main(void) {
    uint32_t last = 0;
    for (;;) {
        const uint32_t value = mailbox[REQUEST];
        if (value == last) continue;
        last = value;
        mailbox[REPLY] = value + 1;
        interrupt_host();
    }
}
