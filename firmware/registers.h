// The peripherals of an IOP that these programs use, where PYNQ's base designs have them.
#pragma once

#include <stdint.h>

// AXI GPIO, PG144, "Register Space". Bit 0 of this one sets the flip-flop that interrupts the host, until it acknowledges.
struct gpio {
    uint32_t data, direction;
};
#define HOST_INTERRUPT ((volatile struct gpio *)0x40010000u)

static inline void interrupt_host(void) {
    HOST_INTERRUPT->direction = 0;  // outputs
    HOST_INTERRUPT->data = 1;
    HOST_INTERRUPT->data = 0;
}

// AXI Timer, PG079, "Register Space": the first of its two counters.
struct timer {
    uint32_t control, load, counter;
};
#define TIMER ((volatile struct timer *)0x41C00000u)
enum {
    TIMER_DOWN = 1 << 1,       // UDT0
    TIMER_RELOAD = 1 << 4,     // ARHT0
    TIMER_LOAD = 1 << 5,       // LOAD0: the counter takes the load register, and holds
    TIMER_INTERRUPT = 1 << 6,  // ENIT0
    TIMER_ENABLE = 1 << 7,     // ENT0
    TIMER_EXPIRED = 1 << 8,    // T0INT; writing 1 clears it
};
// Counting down with reload, an interval is (load + 2) cycles: PG079, "Generate Mode".
enum { TIMER_EXTRA_CYCLES = 2 };

// AXI Interrupt Controller, PG099, "Register Space".
struct interrupt_controller {
    uint32_t status, pending, enable, acknowledge, set_enable, clear_enable, vector, master;
};
#define INTERRUPTS ((volatile struct interrupt_controller *)0x41200000u)
enum { TIMER_INPUT = 1 << 2 };   // the timer is on input 2
enum { MASTER_ENABLE = 3 };      // ME and HIE: hardware interrupts reach the processor

// MSR bit IE, through a register: msrset and msrclr are optional instructions.
enum { MSR_IE = 1 << 1 };

static inline void allow_interrupts(void) {
    uint32_t msr;
    __asm__ volatile("mfs %0, rmsr\n\tori %0, %0, %1\n\tmts rmsr, %0" : "=&r"(msr) : "i"(MSR_IE) : "memory");
}

static inline void hold_interrupts(void) {
    uint32_t msr;
    __asm__ volatile("mfs %0, rmsr\n\tandni %0, %0, %1\n\tmts rmsr, %0" : "=&r"(msr) : "i"(MSR_IE) : "memory");
}
