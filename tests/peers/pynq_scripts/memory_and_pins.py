"""Buffers, registers and pins of the tutorial's design."""

import numpy as np
from pynq import GPIO, MMIO, Overlay, allocate

overlay = Overlay("pynq_tutorial.bit")

# Memory: where it is, views of it, and that it comes back.
buffer = allocate(shape=(4, 256), dtype=np.int16)
buffer[:] = np.arange(1024).reshape(4, 256)
print(buffer.shape, buffer.dtype, buffer.nbytes, int(buffer.sum()))
first = buffer.physical_address
print(first % 4096, buffer.device_address == first, buffer[2].physical_address - first, buffer[2, :3].tolist())
buffer.flush()
buffer.invalidate()
buffer.freebuffer()
with allocate(1024, np.int16) as again:
    print(again.physical_address == first, again.shape)
del buffer, again
blocks = []
for _ in range(12):  # more than the board has, if freed buffers stayed
    block = allocate(16 << 20, "u1")
    block[-1] = 1
    blocks.append(block.physical_address)
    block.freebuffer()
print(len(blocks), len(set(blocks)))
try:
    allocate(1 << 40, "u1")
except RuntimeError as error:
    print(str(error).startswith("BO allocation failed"))

# Registers: of the LEDs, by name and by address.
leds = overlay.leds_gpio
leds.channel1.setdirection("out")
leds.channel1.setlength(4)
leds.channel1.trimask = 0
registers = MMIO(overlay.ip_dict["leds_gpio"]["phys_addr"], 16)
for pattern in (0b1010, 0b0001):
    leds.channel1[0:4].write(pattern)
    print(registers.read(0), int(registers.array[0]), leds.read(0), leds.channel1[1:3].read())
leds.channel1[0].toggle()
leds.channel1[3].on()
registers.write(4, 0b0101)
print(registers.read(0, 1), registers.read(), registers.array[0:2][1], leds.channel1.trimask)
print(leds.mmio.base_addr == registers.base_addr, registers.length)

# Pins that come in.
buttons = overlay.btns_gpio
buttons.channel1.setdirection("in")
buttons.channel1.setlength(4)
print(buttons.channel1[0:4].read(), buttons.channel1[1].read())
for wrong in (lambda: buttons.channel1.write(1, 1), lambda: leds.channel1.read(), lambda: registers.read(2)):
    try:
        wrong()
    except (RuntimeError, MemoryError) as error:
        print(type(error).__mro__[-3].__name__, str(error).split(":")[0])

# And of the PS, into the PL.
number = GPIO.get_gpio_pin(7)
pin = GPIO(number, "out")
pin.write(1)
pin.write(0)
print(number - GPIO.get_gpio_base(), pin.direction, GPIO.get_gpio_npins())
try:
    GPIO(number, "in")
except AttributeError as error:
    print(str(error).split(":")[0])
pin.release()
