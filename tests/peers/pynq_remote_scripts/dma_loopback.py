"""Written for PYNQ: sends through each engine of the design, and compares what comes back.

Through PYNQ.remote, PYNQ 4.0.0 cannot end wait() on an engine with scatter-gather (its RemoteBuffer has no close()),
so this looks whether the channels are idle, as one may on any PYNQ.
"""

import sys
import time

import numpy as np
from pynq import Overlay, allocate


def finish(channel):
    deadline = time.monotonic() + 60
    while not channel.idle:
        assert not channel.error
        assert time.monotonic() < deadline
    channel.stop()


overlay = Overlay(sys.argv[1])
for argument in sys.argv[2:]:
    name, size = argument.split(":")
    dma = getattr(overlay, name)
    source, sink = allocate(int(size), "u1"), allocate(int(size), "u1")
    source[:] = np.random.default_rng(0).integers(0, 256, int(size), "u1")
    sink[:] = 0
    sink.sync_to_device()
    dma.recvchannel.transfer(sink)
    dma.sendchannel.transfer(source)
    if "sg" in name:
        finish(dma.sendchannel)
        finish(dma.recvchannel)
        sink.sync_from_device()
    else:
        dma.sendchannel.wait()
        dma.recvchannel.wait()
    print(name, size, bool(np.array_equal(source, sink)))
    source.freebuffer()
    sink.freebuffer()
