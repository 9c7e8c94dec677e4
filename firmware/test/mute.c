// Takes a command and never answers: it goes on working, in a register that nobody sees.
#include "../mailbox.h"

int main(void) {
    while (mailbox[COMMAND_WORD] == 0) continue;
    uint32_t work = 0;
    for (;;) __asm__ volatile("addik %0, %0, 1" : "+r"(work));
}
