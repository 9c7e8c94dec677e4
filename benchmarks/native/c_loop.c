#include "c_loop.h"

/* PG021, "Register Space": MM2S. */
enum { DMASR = 0x04, SA = 0x18, SA_MSB = 0x1C, LENGTH = 0x28 };
enum { IDLE = 1u << 1, ERRORS = 0x770u, IOC_IRQ = 1u << 12 };

int64_t c_send(const struct c_bus *bus, uint64_t registers, const struct c_piece *pieces, size_t count,
               uint64_t repeat) {
    int64_t sent = 0;
    for (uint64_t turn = 0; turn < repeat; ++turn) {
        for (size_t i = 0; i < count; ++i) {
            uint32_t status;
            bus->write32(bus->self, registers + SA, (uint32_t)pieces[i].address);
            bus->write32(bus->self, registers + SA_MSB, (uint32_t)(pieces[i].address >> 32));
            bus->write32(bus->self, registers + LENGTH, pieces[i].nbytes);
            do {
                status = bus->read32(bus->self, registers + DMASR);
                if ((status & ERRORS) != 0) return -(int64_t)status;
            } while ((status & (IDLE | IOC_IRQ)) == 0);
            bus->write32(bus->self, registers + DMASR, IOC_IRQ);
            sent += pieces[i].nbytes;
        }
    }
    return sent;
}

uint32_t c_reads(const struct c_bus *bus, uint64_t address, uint32_t count) {
    uint32_t last = 0;
    for (uint32_t i = 0; i < count; ++i) last = bus->read32(bus->self, address);
    return last;
}

void c_writes(const struct c_bus *bus, uint64_t address, uint32_t value, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) bus->write32(bus->self, address, value);
}
