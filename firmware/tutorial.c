// The lesson's program: fills a buffer of 32-bit words with first, first + 1, ...
#include "ddr.h"
#include "mailbox.h"

enum {
    BUFFER,  // the buffer's physical address: starts, and is cleared when the buffer is filled
    FIRST,   // the first value
    LENGTH,  // how many words
};

int main(void) {
    for (;;) {
        const uint32_t buffer = mailbox[BUFFER];
        if (buffer == 0) continue;

        volatile uint32_t *word = (volatile uint32_t *)window_address(buffer);
        uint32_t value = mailbox[FIRST];
        for (uint32_t left = mailbox[LENGTH]; left != 0; left--) {
            *word = value;
            word++;
            value++;
        }

        mailbox[BUFFER] = 0;
    }
}
