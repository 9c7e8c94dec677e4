"""Coroutines that wait for interrupts of DMA channels, while others work."""

import asyncio

import numpy as np
from pynq import Interrupt, Overlay, allocate

overlay = Overlay("pynq_tutorial.bit")
send = overlay.axi_dma_from_ps_to_pl.sendchannel
receive = overlay.axi_dma_from_pl_to_ps.recvchannel
received = []


async def sender(source, rounds):
    for number in range(rounds):
        source[:] = number
        send.transfer(source)
        await send.wait_async()
        await asyncio.sleep(0)


async def receiver(sink, rounds):
    for _ in range(rounds):
        receive.transfer(sink)
        await receive.wait_async()
        received.append((receive.transferred, int(sink[0]), int(sink[-1])))


async def nothing_comes(sink):
    """A transfer that nobody sends anything to, until somebody does."""
    receive.transfer(sink)
    waiting = asyncio.ensure_future(receive.wait_async())
    done, _ = await asyncio.wait([waiting], timeout=0.05)
    print("done", len(done))
    send.transfer(source)
    await asyncio.wait_for(waiting, 10)
    await send.wait_async()
    print("came", receive.transferred, np.array_equal(source, sink))


async def low(name):
    """A pin whose interrupt was acknowledged."""
    try:
        await asyncio.wait_for(Interrupt(name).wait(), 0.05)
        print("high")
    except asyncio.TimeoutError:
        print("low")


async def main(source, sink):
    # One event loop for all: PYNQ's events belong to the first.
    await asyncio.gather(receiver(sink, 3), sender(source, 3))
    print(received)
    await nothing_comes(sink)
    await low("axi_dma_from_pl_to_ps/s2mm_introut")


with allocate(5000, "u4") as source, allocate(5000, "u4") as sink:
    asyncio.run(main(source, sink))

try:
    Interrupt("axi_dma_from_pl_to_ps/no_such_pin")
except ValueError:
    print("no such pin")
