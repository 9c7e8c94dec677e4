"""Data of 1 byte to 64 MiB through two DMA engines and back, as PYNQ's users write it.

It says `import pynq` and nothing of gapless. It runs on gapless' own names and on the real package, on the board itself
or far from it; the output is the same:

    gapless pynq run --board 'virtual:dma_loopback?cma=256MiB' examples/pynq_dma_loopback.py
    gapless pynq run --real --board 'virtual:dma_loopback?cma=256MiB' examples/pynq_dma_loopback.py

Arguments: the overlay, dma_loopback.bit by default, and the largest size in bytes.
"""

import hashlib
import sys

import numpy as np
from pynq import Overlay, allocate

LARGEST = int(sys.argv[2]) if len(sys.argv) > 2 else 1 << 26
SIZES = (1, 3, 8, 13, 100, 4096, 65_539, 1 << 20, (1 << 23) + 1, (1 << 26) - 1, 1 << 26)

overlay = Overlay(sys.argv[1] if len(sys.argv) > 1 else "dma_loopback.bit")


def send_and_receive(dma, source, sink):
    """As many transfers as it takes; how many bytes each channel says that it has moved."""
    moved = [0, 0]
    for start in range(0, source.nbytes, dma.buffer_max_size):
        nbytes = min(dma.buffer_max_size, source.nbytes - start)
        dma.recvchannel.transfer(sink, start, nbytes)
        dma.sendchannel.transfer(source, start, nbytes)
        dma.sendchannel.wait()
        dma.recvchannel.wait()
        moved[0] += dma.sendchannel.transferred
        moved[1] += dma.recvchannel.transferred
    return moved


# With scatter-gather PYNQ's driver makes two descriptors at least, of at least one word of 32 bits each.
for name, smallest in (("axi_dma_direct", 1), ("axi_dma_sg", 8)):
    for size in SIZES:
        if not smallest <= size <= LARGEST:
            continue
        with allocate(size, np.uint8) as source, allocate(size, np.uint8) as sink:
            source[:] = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8)
            sent, received = send_and_receive(getattr(overlay, name), source, sink)
            same = "equal" if np.array_equal(source, sink) else "DIFFERENT"
            digest = hashlib.sha256(sink).hexdigest()[:16]
            print(f"{name} {size}: sent {sent}, received {received}, {same}, SHA-256 {digest}")
