// Jumps to where no memory is.
#include "../mailbox.h"

enum { TARGET };  // the address: starts

int main(void) {
    while (mailbox[TARGET] == 0) continue;
    ((void (*)(void))mailbox[TARGET])();
    for (;;) continue;
}
