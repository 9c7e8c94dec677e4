/* What users' C code does with an AXI DMA in direct mode (PG021, "Direct Register Mode"). */
#ifndef GAPLESS_BENCH_C_LOOP_H
#define GAPLESS_BENCH_C_LOOP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct c_bus {
    void *self;
    uint32_t (*read32)(void *self, uint64_t address);
    void (*write32)(void *self, uint64_t address, uint32_t value);
};

struct c_piece {
    uint64_t address;
    uint32_t nbytes;
};

/* Send all pieces `repeat` times. Returns the bytes sent, or the negated DMASR of an error. */
int64_t c_send(const struct c_bus *bus, uint64_t registers, const struct c_piece *pieces, size_t count,
               uint64_t repeat);

/* The same access `count` times. */
uint32_t c_reads(const struct c_bus *bus, uint64_t address, uint32_t count);
void c_writes(const struct c_bus *bus, uint64_t address, uint32_t value, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
