"""Data of 1 byte to 64 MiB through two DMA engines and back, as PYNQ's users write it.

It says `import pynq` and nothing of gapless. Unmodified it runs on gapless' own names, on the real package, and on the
real package of another machine, and prints the same:

    gapless pynq run --board 'virtual:dma_loopback?cma=256MiB' examples/pynq_dma_loopback.py
    gapless pynq run --real --board 'virtual:dma_loopback?cma=256MiB' examples/pynq_dma_loopback.py
    gapless pynq files dma_loopback
    gapless serve --pynq-remote --board 'virtual:dma_loopback?cma=256MiB&clock=wall'
    PYNQ_REMOTE_DEVICES=127.0.0.1 python examples/pynq_dma_loopback.py dma_loopback.bit

Arguments: the overlay, and the largest size in bytes.
"""

import hashlib
import sys
import time

import numpy as np
from pynq import Overlay, allocate

LARGEST = int(sys.argv[2]) if len(sys.argv) > 2 else 1 << 26
SIZES = (1, 3, 8, 13, 100, 4096, 65_539, 1 << 20, (1 << 23) + 1, (1 << 26) - 1, 1 << 26)

overlay = Overlay(sys.argv[1] if len(sys.argv) > 1 else "dma_loopback.bit")


def direct(dma, source, sink):
    """In as many transfers as it takes: without scatter-gather one has a largest size."""
    for start in range(0, source.nbytes, dma.buffer_max_size):
        nbytes = min(dma.buffer_max_size, source.nbytes - start)
        dma.recvchannel.transfer(sink, start, nbytes)
        dma.sendchannel.transfer(source, start, nbytes)
        for channel in (dma.sendchannel, dma.recvchannel):
            channel.wait()
            assert channel.transferred == nbytes, (channel.transferred, nbytes)


def scatter_gather(dma, source, sink):
    """In one transfer, without wait(): at its end it does what PYNQ 4.0.0 cannot do with a remote buffer."""
    for channel, buffer in ((dma.recvchannel, sink), (dma.sendchannel, source)):
        # PYNQ's driver takes new memory for zeros, and that of a remote buffer is what numpy had last: let it be these.
        for descriptors in range(2, 6):
            np.zeros((descriptors, 16), np.uint32)
        channel.transfer(buffer)
    deadline = time.monotonic() + 60
    for channel in (dma.sendchannel, dma.recvchannel):
        while not channel.idle:
            assert not channel.error, "the engine reports an error"
            assert time.monotonic() < deadline, "the transfer does not end"
        channel.stop()
    sink.sync_from_device()


# With scatter-gather PYNQ's driver makes two descriptors at least, each of a word of 32 bits at least.
for name, transfer, smallest in (("axi_dma_direct", direct, 1), ("axi_dma_sg", scatter_gather, 8)):
    for size in SIZES:
        if smallest <= size <= LARGEST:
            source, sink = allocate(size, np.uint8), allocate(size, np.uint8)
            source[:] = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8)
            sink[:] = 0
            sink.sync_to_device()
            transfer(getattr(overlay, name), source, sink)
            same = "equal" if np.array_equal(source, sink) else "DIFFERENT"
            print(f"{name} {size}: {same}, SHA-256 {hashlib.sha256(sink).hexdigest()[:16]}", flush=True)
            source.freebuffer()
            sink.freebuffer()
