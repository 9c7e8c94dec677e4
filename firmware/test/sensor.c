// Reads registers of an IIC device.
#include "../mailbox.h"
#include "serial.h"

enum {
    DEVICE,  // its address, 7 bits
    FIRST,   // register
    COUNT,   // how many bytes, 1 to 4
    VALUE,   // of these bytes, the first the highest
    RESULT,
};
// Any command reads; one that nobody acknowledges is refused.

static uint32_t read_registers(void) {
    IIC->depth = 15;  // it takes 16 bytes without a pause
    IIC->control = IIC_RESET_TRANSMIT;
    IIC->control = IIC_ENABLE;
    IIC->events = IIC->events & IIC_ERROR;  // 1 is written to clear it
    const uint32_t address = mailbox[DEVICE] << 1;
    IIC->transmit = IIC_START | address;
    IIC->transmit = mailbox[FIRST];
    IIC->transmit = IIC_START | address | 1;
    IIC->transmit = IIC_STOP | mailbox[COUNT];
    uint32_t value = 0;
    for (uint32_t left = mailbox[COUNT]; left > 0; --left) {
        while (IIC->status & IIC_RECEIVED_NOTHING) {
            // The last byte is not acknowledged either, but when that is known it is there.
            if ((IIC->events & IIC_ERROR) && (IIC->status & IIC_RECEIVED_NOTHING)) return REFUSED;
        }
        value = value << 8 | (IIC->receive & 0xFF);
    }
    while (IIC->status & IIC_BUSY) {}
    mailbox[VALUE] = value;
    return DONE;
}

int main(void) {
    for (;;) {
        if (mailbox[COMMAND_WORD] == 0) continue;
        mailbox[RESULT] = read_registers();
        mailbox[COMMAND_WORD] = 0;
    }
}
