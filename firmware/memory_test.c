// Writes patterns over a buffer and reads them back. The command word is the patterns, added; one after the other.
#include <stdbool.h>

#include "ddr.h"
#include "mailbox.h"

enum {
    WALKING_ONE = 1,  // 1, 2, 4, ...: each data line alone
    ADDRESS = 2,      // each word its own physical address: two addresses that are one place
    RANDOM = 4,       // pseudo-random from the seed: neighbours that disturb each other
    VERIFY = 0x100,   // only read back what the same command wrote before: memory that forgets
};
enum {
    BUFFER,    // the buffer's physical address, a multiple of 4
    LENGTH,    // bytes, a multiple of 4
    SEED,      // of RANDOM; 0 counts as 1
    RESULT,    // DONE or REFUSED
    PATTERN,   // the one at work, with VERIFY while it reads back
    PROGRESS,  // words that it wrote or read so far
    ERRORS,    // words that were wrong, in all patterns
    // Of the first wrong word:
    BAD_PATTERN,
    BAD_ADDRESS,  // as BUFFER counts
    EXPECTED,
    FOUND,
};

// The pattern's first value is start(); the word after `value` has next(value). No shift by more than one: the base
// instruction set has none.
static uint32_t start(uint32_t pattern) {
    if (pattern == WALKING_ONE) return 1;
    if (pattern == ADDRESS) return mailbox[BUFFER];
    const uint32_t seed = mailbox[SEED];
    return seed != 0 ? seed : 1;
}

static inline uint32_t next(uint32_t pattern, uint32_t value) {
    if (pattern == ADDRESS) return value + 4;
    const bool carry = (int32_t)value < 0;
    value += value;
    if (carry) value ^= pattern == RANDOM ? 0x00400007 : 1;  // x^32 + x^22 + x^2 + x + 1: period 2^32 - 1
    return value;
}

static void report(uint32_t pattern, uint32_t offset, uint32_t expected, uint32_t found) {
    if (mailbox[ERRORS]++ != 0) return;
    mailbox[BAD_PATTERN] = pattern;
    mailbox[BAD_ADDRESS] = mailbox[BUFFER] + offset;
    mailbox[EXPECTED] = expected;
    mailbox[FOUND] = found;
}

static void pass(uint32_t pattern, bool verify) {
    volatile uint32_t *const buffer = (volatile uint32_t *)window_address(mailbox[BUFFER]);
    volatile uint32_t *const end = buffer + mailbox[LENGTH] / 4;
    uint32_t value = start(pattern);
    uint32_t progress = 0;

    mailbox[PATTERN] = verify ? pattern + VERIFY : pattern;
    mailbox[PROGRESS] = 0;
    for (volatile uint32_t *word = buffer; word != end; word++) {
        if (verify) {
            const uint32_t found = *word;
            if (found != value) report(pattern, (uint32_t)word - (uint32_t)buffer, value, found);
        } else {
            *word = value;
        }
        mailbox[PROGRESS] = ++progress;
        value = next(pattern, value);
    }
}

static uint32_t run(uint32_t command) {
    const uint32_t patterns = command & ~(uint32_t)VERIFY;
    if (patterns == 0 || patterns > (WALKING_ONE | ADDRESS | RANDOM)) return REFUSED;
    if ((mailbox[BUFFER] | mailbox[LENGTH]) & 3) return REFUSED;

    for (uint32_t word = ERRORS; word <= FOUND; word++) mailbox[word] = 0;
    for (uint32_t pattern = WALKING_ONE; pattern <= RANDOM; pattern += pattern) {
        if (!(patterns & pattern)) continue;
        if (!(command & VERIFY)) pass(pattern, false);
        pass(pattern, true);
    }
    return DONE;
}

int main(void) {
    for (;;) {
        const uint32_t command = mailbox[COMMAND_WORD];
        if (command == 0) continue;
        mailbox[RESULT] = run(command);
        mailbox[COMMAND_WORD] = 0;
    }
}
