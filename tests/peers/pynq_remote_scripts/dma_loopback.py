"""Written for PYNQ: sends through each engine of the design, and compares what comes back.

Through PYNQ.remote the driver that PYNQ 4.0.0 has for scatter-gather cannot be used: its descriptors are in a
RemoteBuffer, which is not zeroed, so that the engine may find them complete already, and which has no close(). So this
writes its own, as one may on any PYNQ.
"""

import hashlib
import sys
import time

import numpy as np
from pynq import Overlay, allocate

MOST = (1 << 26) - 4  # of one descriptor
MM2S, S2MM = 0x00, 0x30
DMACR, DMASR, CURDESC, TAILDESC = 0x00, 0x04, 0x08, 0x10
IDLE, ERRORS, FIRST, LAST, LENGTH = 1 << 1, 0x770, 1 << 27, 1 << 26, (1 << 26) - 1


def make_chain(buffer):
    """One descriptor for each MOST bytes: next, address and length of each, 64 bytes apart (PG021)."""
    parts = range(0, buffer.nbytes, MOST)
    chain = allocate((len(parts), 16), "u4")
    chain[:] = 0
    for number, at in enumerate(parts):
        chain[number, 0] = chain.physical_address + (number + 1) % len(parts) * 64
        chain[number, 2] = buffer.physical_address + at
        chain[number, 6] = min(MOST, buffer.nbytes - at) | (FIRST if at == 0 else 0) | (LAST if at == parts[-1] else 0)
    chain.flush()
    return chain


def start(dma, channel, chain):
    dma.write(channel + DMACR, 0)
    dma.write(channel + CURDESC, int(chain.physical_address))
    dma.write(channel + DMACR, 1)
    dma.write(channel + TAILDESC, int(chain.physical_address) + 64 * (len(chain) - 1))


def finish(dma, channel, chain):
    """How many bytes its descriptors say that it has moved."""
    deadline = time.monotonic() + 60
    while not (status := dma.read(channel + DMASR)) & IDLE:
        assert not status & ERRORS, hex(status)
        assert time.monotonic() < deadline
    dma.write(channel + DMACR, 0)
    chain.invalidate()
    return int((np.array(chain[:, 7]) & LENGTH).sum())


def by_descriptors(dma, source, sink):
    source.flush()
    chains = {S2MM: make_chain(sink), MM2S: make_chain(source)}
    for channel, chain in chains.items():
        start(dma, channel, chain)
    moved = [finish(dma, channel, chain) for channel, chain in chains.items()]
    sink.invalidate()
    for chain in chains.values():
        chain.freebuffer()
    return moved


def by_driver(dma, source, sink):
    moved = [0, 0]
    for at in range(0, source.nbytes, dma.buffer_max_size):
        nbytes = min(dma.buffer_max_size, source.nbytes - at)
        channels = (dma.recvchannel, dma.sendchannel)
        for channel, buffer in zip(channels, (sink, source), strict=True):
            channel.transfer(buffer, at, nbytes)
        for number, channel in enumerate(channels):
            channel.wait()
            moved[number] += channel.transferred
    return moved


overlay = Overlay(sys.argv[1])
for size in map(int, sys.argv[2:]):
    for name, transfer in (("axi_dma_direct", by_driver), ("axi_dma_sg", by_descriptors)):
        with allocate(size, "u1") as source, allocate(size, "u1") as sink:
            source[:] = np.random.default_rng(size).integers(0, 256, size, "u1")
            received, sent = transfer(getattr(overlay, name), source, sink)
            same = "equal" if np.array_equal(source, sink) else "DIFFERENT"
            digest = hashlib.sha256(np.array(sink)).hexdigest()[:16]
            print(f"{name} {size}: sent {sent}, received {received}, {same}, {digest}")
