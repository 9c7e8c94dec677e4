// Executes a word that is no instruction.
#include "../mailbox.h"

enum { GO };  // not 0: starts, and is cleared by a processor that went past it

int main(void) {
    for (;;) {
        if (mailbox[GO] == 0) continue;
        __asm__ volatile(".word 0xFC000000");  // UG984, "Instructions": no instruction begins with 111111
        mailbox[GO] = 0;
    }
}
