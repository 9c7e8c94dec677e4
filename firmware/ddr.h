// The host's memory, through the IOP's window.
#pragma once

#include <stdint.h>

#include "mailbox.h"

// The window of a Zynq-7000 with 512 MiB, 0x2000_0000, if the host wrote nothing to WINDOW_WORD. Elsewhere the host
// writes its base there, which is a multiple of the window's size. So both a physical address and the address that
// the IOP sees may be given: the second has the bits of the base already.
static inline uint32_t window_address(uint32_t address) {
    const uint32_t base = mailbox[WINDOW_WORD];
    return address | (base != 0 ? base : 0x20000000u);
}
