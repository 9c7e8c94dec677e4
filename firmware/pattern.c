// A generator of 16-bit samples: into a ring of blocks that the host reads, or into one block at a time.
#include <stdbool.h>

#include "ddr.h"
#include "mailbox.h"
#include "registers.h"

enum {
    START = 1,  // fills the ring's blocks in turn, until the next command; cleared as soon as it has begun
    STOP = 2,   // ends that, after the block at work
    FILL = 3,   // fills one block, at ADDRESS_WORD; the phase goes on from the last one's
};
enum {
    RING,         // the ring's physical address, even
    BLOCK_BYTES,  // bytes of a block, even
    BLOCKS,       // how many the ring has
    KIND,         // RAMP, SQUARE, SINE, TRIANGLE
    STEP,         // added to the phase for each sample; a period is 2^32
    PHASE,        // of the next sample; the host may set it before a command
    WRITTEN,      // blocks written since START, modulo 2^32: the program counts
    READ,         // blocks the host no longer needs: the host counts, from 0 at START
    RESULT,       // DONE or REFUSED
};
enum kind { RAMP, SQUARE, SINE, TRIANGLE, KINDS };

static const int16_t sine[1024] = {
#include "sine.inc"
};

// A sample from the upper half of the phase.
static inline int16_t sample(enum kind kind, uint16_t phase) {
    const bool second = phase & 0x8000;
    switch (kind) {
        case RAMP: return (int16_t)phase;
        case SQUARE: return second ? -32767 : 32767;
        case SINE: return sine[phase >> 6];
        default: break;
    }
    const uint16_t rise = (uint16_t)(phase + phase);
    return (int16_t)((second ? ~rise : rise) ^ 0x8000);
}

// Inlined once for each kind, so that its choice is not made for each sample.
static inline __attribute__((always_inline)) void fill_with(enum kind kind, uint32_t address, uint32_t nbytes) {
    // Without a barrel shifter the upper half is sixteen shifts away, but only one load from memory.
    volatile union {
        uint32_t all;
        uint16_t half[2];
    } phase;
    const uint32_t step = mailbox[STEP];
    uint32_t sum = mailbox[PHASE];
    volatile int16_t *at = (volatile int16_t *)address;
    volatile int16_t *const end = (volatile int16_t *)(address + nbytes);
    for (; at != end; sum += step) {
        phase.all = sum;
        *at++ = sample(kind, phase.half[1]);
    }
    mailbox[PHASE] = sum;
}

static void fill(uint32_t address, uint32_t nbytes) {
    switch (mailbox[KIND]) {
        case RAMP: fill_with(RAMP, address, nbytes); break;
        case SQUARE: fill_with(SQUARE, address, nbytes); break;
        case SINE: fill_with(SINE, address, nbytes); break;
        default: fill_with(TRIANGLE, address, nbytes); break;
    }
}

static void stream(void) {
    const uint32_t ring = window_address(mailbox[RING]);
    const uint32_t nbytes = mailbox[BLOCK_BYTES];
    const uint32_t blocks = mailbox[BLOCKS];
    uint32_t written = 0, place = 0, address = ring;

    mailbox[WRITTEN] = 0;
    mailbox[READ] = 0;
    mailbox[COMMAND_WORD] = 0;  // from here on the host counts what it read
    while (mailbox[COMMAND_WORD] == 0) {
        if (written - mailbox[READ] >= blocks) continue;  // full
        fill(address, nbytes);
        // Its stores have been answered before this one begins: the block is in memory when the host sees the count.
        mailbox[WRITTEN] = ++written;
        interrupt_host();
        address += nbytes;
        if (++place == blocks) place = 0, address = ring;
    }
}

static bool sensible(uint32_t command) {
    const uint32_t nbytes = mailbox[BLOCK_BYTES];
    if (command == STOP) return true;
    if (mailbox[KIND] >= KINDS || nbytes == 0 || (nbytes & 1)) return false;
    if (command == START) return !(mailbox[RING] & 1) && mailbox[BLOCKS] != 0;
    return command == FILL && !(mailbox[ADDRESS_WORD] & 1);
}

int main(void) {
    for (;;) {
        const uint32_t command = mailbox[COMMAND_WORD];
        if (command == 0) continue;

        const bool runs = sensible(command);
        mailbox[RESULT] = runs ? DONE : REFUSED;
        if (runs && command == START) {
            stream();
            continue;  // with the command that ended it
        }
        if (runs && command == FILL) fill(window_address(mailbox[ADDRESS_WORD]), mailbox[BLOCK_BYTES]);
        mailbox[COMMAND_WORD] = 0;
        interrupt_host();
    }
}
