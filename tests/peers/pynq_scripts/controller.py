"""Interrupts that reach the PS through an AXI INTC: two DMA engines at once, and buttons."""

import asyncio

import numpy as np
from pynq import Overlay, allocate

from gapless.compat.pynq import board_in_use  # the hand that pushes buttons

overlay = Overlay("dma_loopback.bit")
print(overlay.interrupt_controllers["axi_intc_0"]["index"], overlay.interrupt_pins["axi_dma_sg/s2mm_introut"])
buttons = overlay.btns_gpio.channel1
buttons.setdirection("in")
buttons.setlength(4)


async def loop_back(dma, words):
    with allocate(words) as source, allocate(words) as sink:
        source[:] = np.arange(words)
        for _ in range(3):
            sink[:] = 0
            dma.recvchannel.transfer(sink)
            dma.sendchannel.transfer(source)
            await asyncio.gather(dma.sendchannel.wait_async(), dma.recvchannel.wait_async())
            print(dma.recvchannel.transferred, dma.sendchannel.transferred, np.array_equal(source, sink))


async def push():
    for levels in (0b0010, 0b0000, 0b0110, 0b0100):
        await asyncio.sleep(0.01)
        board_in_use().probe.peripheral("btns_gpio").set_input(levels)


async def pushed():
    await buttons[2].wait_for_value_async(1)
    print("pushed", buttons[0:4].read())
    await buttons[1].wait_for_value_async(0)
    print("let go", buttons[0:4].read())


async def main():
    await loop_back(overlay.axi_dma_direct, 1000)
    await loop_back(overlay.axi_dma_sg, 2000)
    await asyncio.gather(push(), pushed(), loop_back(overlay.axi_dma_sg, 3000))


asyncio.run(main())
