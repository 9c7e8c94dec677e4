// The words that the host and the program both see: the last 4 KiB of the memory, 0xF000 to 0xFFFF.
//
// A program may be reset and its first command written before it runs: it reads the mailbox, it does not clear it.
// Whoever waits for a word writes the words that go with it first; both sides see stores in the order they were made.
#pragma once

#include <stdint.h>

extern volatile uint32_t mailbox[1024];  // its place is in iop.ld

// Words 0 to 0x3BF are each program's own. Of the rest:
enum {
    WINDOW_WORD = 0x3FD,   // 0xFF4: where the window to DDR begins; see ddr.h
    ADDRESS_WORD = 0x3FE,  // 0xFF8: an address that goes with a command
    COMMAND_WORD = 0x3FF,  // 0xFFC: the host writes a command, the program clears it when that is done
};

// For a program's result word: how its last command ended.
enum { DONE = 0, REFUSED = 1 };  // REFUSED: no such command, or arguments that make no sense; nothing was done
