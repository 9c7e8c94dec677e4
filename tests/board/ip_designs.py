"""Small designs with an IP of their own, for tests of models of it."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
from driver_designs import dma, fill, spec

from gapless.boards import IpSpec
from gapless.dma import split
from gapless.virtual import IpModel, build_board

BASE, SIZE, LINE = 0x4000_0000, 0x1_0000, 40
VLNV = "gapless.test:hls:device:1.0"


def ip(name="device", *, inputs=(), outputs=(), base=BASE, size=SIZE, interrupt=LINE, vlnv=VLNV, **options):
    """``inputs`` and ``outputs``: (port, DMA) pairs."""
    return IpSpec(name, vlnv, base, size, dict(inputs), dict(outputs), interrupt, **options)


def board_with(*ips, models=None, dmas=(), **options):
    parts = spec(*dmas)
    return build_board(type(parts)(**{**vars(parts), "ips": ips}), models=models or {}, **options)


def alone(model):
    """A board with one IP that has registers and an interrupt."""
    return board_with(ip(), models={"device": model})


def streaming(model, **options):
    """A board with one IP between the MM2S and the S2MM of a DMA, 4 bytes wide at 100 MHz."""
    options = {"sg": False, "data_width": 4, "clock": 100e6, "dre": options.get("data_width", 4) <= 8, **options}
    return board_with(
        ip(inputs=[("src", "dma")], outputs=[("dst", "dma")]),
        models={"device": model} if model is not None else {},
        dmas=[dma(**options)],
    )


def begin(channel, *buffers, timeout=1e3):
    """Start to move buffers, each as a packet."""
    pieces = np.concatenate([split(channel._spec, one.physical_address, one.nbytes) for one in buffers])
    return channel.begin(pieces, buffers, timeout=timeout)


@contextmanager
def sent_and_received(board, packets, room):
    """Send packets and receive into buffers with ``room`` bytes each; gives the received bytes of each."""
    pool, engine = board.memory["low"], board.dma("dma")
    sources = [fill(pool, packet) for packet in packets]
    sinks = [pool.allocate(nbytes, np.uint8) for nbytes in room]
    receiving, sending = begin(engine.s2mm, *sinks), begin(engine.mm2s, *sources)
    sending.wait()
    receiving.wait()
    yield sinks
    for buffer in sources + sinks:
        buffer.free()


class Silent(IpModel):
    """Registers, and nothing else."""


class Doubler(IpModel):
    """Each byte times two."""

    def receive(self, port, data, last):
        self.outputs["dst"].send(data * np.uint8(2), last)


class Taker(IpModel):
    """Keeps what it takes, and when."""

    def start(self):
        self.taken, self.lasts, self.times = [], [], []

    def receive(self, port, data, last):
        self.taken.append(data)
        self.lasts.append(last)
        self.times.append(self.time)


def elapsed(board, packets, room=None):
    """Seconds of bus time to send packets and to receive them."""
    started = board.bus.time()
    with sent_and_received(board, packets, room or [len(packet) for packet in packets]):
        return board.bus.time() - started
