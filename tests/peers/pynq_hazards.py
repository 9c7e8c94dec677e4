"""What PYNQ does in each of its hazards: a line for each, to be run with the package itself.

What would go on for ever is ended after a while by SIGALRM.
"""

import asyncio
import os
import signal
import sys
from contextlib import contextmanager, suppress
from itertools import pairwise

from pynq import MMIO, Overlay, allocate

from gapless.compat.pynq import board_in_use

PATIENCE = 0.3


class ForEver(BaseException):
    pass


def ring(*_):
    raise ForEver


signal.signal(signal.SIGALRM, ring)


@contextmanager
def hazard(name):
    """Print how the block ends."""
    signal.setitimer(signal.ITIMER_REAL, PATIENCE, PATIENCE)  # again and again: Python drops what is raised in __del__
    try:
        yield
    except ForEver:
        print(f"{name}: for ever")
    except Exception as error:
        print(f"{name}: {type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Beyond:
    """What a transfer takes for a buffer: as many bytes as are said at the end of the memory, and as many after it."""

    def __init__(self, nbytes):
        self.physical_address, self.nbytes = (512 << 20) - nbytes, 2 * nbytes

    def flush(self):
        pass


def fresh(name="pynq_tutorial.bit"):
    """The design as after a download."""
    return Overlay(name)


overlay = fresh()
buffer = allocate(1024)
with hazard("arithmetic"):
    made = buffer + 1
    print("arithmetic:", type(made).__name__, made.physical_address is not None)
with hazard("strided view"):
    print("strided view:", buffer[::2].physical_address == buffer.physical_address)

with hazard("bytes beyond the range"):
    leds = MMIO(overlay.ip_dict["leds_gpio"]["phys_addr"] + 4, 4)
    with suppress(IndexError):
        leds.write(0, bytes(8))
    print("bytes beyond the range:", leds.read(0))

send, receive = overlay.axi_dma_from_ps_to_pl.sendchannel, overlay.axi_dma_from_pl_to_ps.recvchannel
with hazard("wait without a transfer"):
    receive.wait()
with hazard("no sender"):
    receive.transfer(buffer)
    receive.wait()
with hazard("second transfer"):
    receive.transfer(buffer)
with hazard("length field"):
    send.transfer(allocate(1 << 23, "u1"))

overlay = fresh()
send, receive = overlay.axi_dma_from_ps_to_pl.sendchannel, overlay.axi_dma_from_pl_to_ps.recvchannel
with hazard("beyond the buffer"):
    pages = sorted((allocate(1024) for _ in range(20)), key=lambda page: page.physical_address)
    pairs = pairwise(pages)
    sink, neighbour = next(pair for pair in pairs if pair[1].physical_address - pair[0].physical_address == 4096)
    source = allocate(2048)
    source[:] = 7
    receive.transfer(sink, nbytes=8192)
    send.transfer(source)
    send.wait()
    receive.wait()
    print("beyond the buffer:", int(neighbour[0]), int(neighbour[-1]))

with hazard("error, wait"):
    send.transfer(Beyond(64))
    board_in_use().bus.sleep(1e-3)
    print("error, wait:", send.error)
    send.wait()
with hazard("error, idle"):
    while not send.idle:
        pass
with hazard("error, start"):
    send.start()

overlay = fresh()
send, receive = overlay.axi_dma_from_ps_to_pl.sendchannel, overlay.axi_dma_from_pl_to_ps.recvchannel


async def failing():
    """The error comes while it waits: the FIFO takes 64 KiB, the rest when somebody receives."""
    send.transfer(Beyond(1 << 17))
    waiting = asyncio.ensure_future(send.wait_async())
    await asyncio.sleep(0)
    receive.transfer(allocate(1 << 18, "u1"))
    done, _ = await asyncio.wait([waiting], timeout=PATIENCE / 2)
    print("error, wait_async:", send.error, *done)


with hazard("error, wait_async"):
    asyncio.run(failing())

overlay = fresh("dma_loopback.bit")
engine = overlay.axi_dma_sg
with hazard("4 bytes"):
    engine.sendchannel.transfer(allocate(4, "u1"))
with hazard("short packet"):
    source, sink = allocate(512), allocate(1024)
    engine.recvchannel.transfer(sink)
    engine.sendchannel.transfer(source)
    engine.sendchannel.wait()
    engine.recvchannel.wait()

overlay = fresh("dma_loopback.bit")
engine = overlay.axi_dma_sg
with hazard("cyclic"):
    engine.recvchannel.transfer(allocate(1 << 20))
    before = engine.recvchannel.running
    engine.sendchannel.transfer(allocate(1024), cyclic=True)
    print("cyclic:", before, engine.recvchannel.running)

sys.stdout.flush()
os._exit(0)  # an engine is still running in circles
