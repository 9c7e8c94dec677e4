"""Model an IP of your own on the virtual board: a FIR filter between a DMA's two channels.

``python ip_model.py fir.png`` draws what went in and what came out (needs matplotlib).
"""

import sys
from dataclasses import replace

import numpy as np

from gapless.boards import DmaSpec, IpSpec, MemoryKind
from gapless.boards.pynq_z2 import pynq_z2
from gapless.dma import split
from gapless.virtual import IpModel, build_board

CLOCK = 100e6
CONTROL, STATUS, TAPS = 0x00, 0x04, 0x100  # registers: 1 takes the interrupt back; packets filtered; 64 taps


class Fir(IpModel):
    """One int16 sample in and one out at each clock; taps are int32 in units of 2**-15."""

    bindto = ("example.com:hls:fir:1.0",)

    def start(self) -> None:
        """Set up the ports: two bytes a clock, in pieces, so that the output begins long before the input ends."""
        self.inputs["samples"].rate = self.outputs["filtered"].rate = 2 * CLOCK
        self.inputs["samples"].chunk = 4096
        self.taps = np.zeros(64, np.int64)
        self.history = np.zeros(63, np.int64)

    def write(self, offset: int, value: int, time: float) -> None:
        """Take a tap, or the acknowledgement."""
        if TAPS <= offset < TAPS + 4 * len(self.taps):
            self.taps[(offset - TAPS) // 4] = np.uint32(value).astype(np.int32)
        elif offset == CONTROL and value & 1:
            self.interrupt(False)

    def receive(self, port: str, data: np.ndarray, last: bool) -> None:
        """Filter a piece of a packet, with the 63 samples before it."""
        samples = np.concatenate([self.history, data.view(np.int16)])
        windows = np.lib.stride_tricks.sliding_window_view(samples, 64)
        self.outputs["filtered"].send((windows @ self.taps[::-1] >> 15).astype(np.int16), last)
        self.history = np.zeros(63, np.int64) if last else samples[-63:]
        if last:
            self.registers[STATUS] += 1
            self.interrupt()


# A PYNQ-Z2 with a design of our own: the FIR between the two channels of one DMA.
dma = DmaSpec("dma", 0x4040_0000, False, {MemoryKind.PS: "HP0"}, 61, 62, address_width=32, data_width=4, clock=CLOCK)
fir = IpSpec("fir", "example.com:hls:fir:1.0", 0x43C0_0000, 0x1_0000, {"samples": "dma"}, {"filtered": "dma"}, 63)
spec = replace(pynq_z2(), design="fir", dmas=(dma,), ips=(fir,), fifos=(), iops=(), peripherals=(), handoff=None)

low_pass = np.sinc((np.arange(64) - 31.5) / 8) * np.hamming(64)
taps = np.round(low_pass / low_pass.sum() * 2**15).astype(np.int64)
turn = np.arange(200_000) / 4000
signal = np.round(8000 * np.sign(np.sin(2 * np.pi * turn)) + np.random.default_rng(1).normal(0, 3000, turn.shape))

with build_board(spec) as board:
    bus, pool = board.bus, board.memory["ps-cma"]
    for number, tap in enumerate(taps):
        bus.write32(fir.base + TAPS + 4 * number, int(tap) & 0xFFFFFFFF)
    with pool.allocate(len(signal), np.int16) as source, pool.allocate(len(signal), np.int16) as sink:
        source[:] = signal.astype(np.int16)
        engine, began = board.dma("dma"), bus.time()
        receiving = engine.s2mm.begin(split(dma, sink.physical_address, sink.nbytes), [sink])
        engine.mm2s.begin(split(dma, source.physical_address, source.nbytes), [source]).wait()
        receiving.wait()
        took = bus.time() - began
        sent, filtered = np.array(source), np.array(sink)
    assert bus.wait_interrupt(63, timeout=1.0)
    bus.write32(fir.base + CONTROL, 1)
    print(f"{bus.read32(fir.base + STATUS)} packet of {len(signal):,} samples in {took * 1e3:.3f} ms of virtual time,")
    print(f"{len(signal) / CLOCK * 1e3:.3f} ms of it at one sample a clock; {len(board.findings)} findings")

expected = np.convolve(sent.astype(np.int64), taps)[: len(sent)] >> 15
print("what came back is what numpy.convolve() gives:", np.array_equal(filtered, expected))

if len(sys.argv) > 1:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
    milliseconds = np.arange(10_000) / CLOCK * 1e3
    axes.plot(milliseconds, sent[:10_000], linewidth=0.4, label="sent")
    axes.plot(milliseconds, filtered[:10_000], label="filtered by the model of the IP")
    axes.set(xlabel="time at the IP (ms)", ylabel="sample")
    axes.legend()
    figure.savefig(sys.argv[1])
