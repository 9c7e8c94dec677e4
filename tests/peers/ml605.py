"""QEMU's petalogix-ml605: an AXI DMA whose streams end in an Ethernet controller, whose wire is a socket.

Its RAM cannot be a file, so memory is copied where a board with memory that is not coherent would sync it: buffers
by ``sync_to_device`` and ``sync_from_device``, descriptor rings, which such a board keeps uncached, at every
register access that makes one side look at what the other wrote.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapless.boards import DmaSpec, MemoryKind
from gapless.bus import native_bus
from gapless.dma import AxiDma, Control, Status
from gapless.dma.registers import DESCRIPTOR, Offset
from gapless.memory import MappedRegion, Pool, RangePool

from .qtest import Qtest, find_qemu

DMA, CHANNEL, ETHERNET, RAM = 0x8460_0000, 0x30, 0x8278_0000, 0x5000_0000
RING_BYTES, DATA_BYTES = 32 << 10, 8 << 20
#: Inputs of the interrupt controller.
S2MM_LINE, MM2S_LINE = 0, 1


class Mirror:
    """Memory here and in the machine, as a MappedRegion's mapper."""

    def __init__(self, machine: Qtest, base: int, nbytes: int) -> None:
        self._machine, self._base = machine, base
        self.bytes: NDArray[np.uint8] = np.zeros(nbytes, np.uint8)

    def view(self, offset: int, nbytes: int, _owner: object) -> NDArray[np.uint8]:
        return self.bytes[offset : offset + nbytes]

    def sync_to_device(self, offset: int, nbytes: int) -> None:
        self._machine.write_bytes(self._base + offset, self.bytes[offset : offset + nbytes].tobytes())

    def sync_from_device(self, offset: int, nbytes: int) -> None:
        data = self._machine.read_bytes(self._base + offset, nbytes)
        self.bytes[offset : offset + nbytes] = np.frombuffer(data, np.uint8)


class RingBus:
    """The machine's registers, with the descriptor rings carried across: the target of a native bus.

    It makes good what QEMU's engine does not do as PG021 says and the driver relies on, so none of this is judged:
    a write to DMASR clears interrupts and nothing else, Halted follows RS, and a reset takes both channels.
    """

    def __init__(self, machine: Qtest, rings: Mirror) -> None:
        self._machine, self._rings = machine, rings
        #: (offset within the channel, value) of every write to a channel, in order.
        self.writes: list[tuple[int, int]] = []

    def read32(self, address: int) -> int:
        value = self._machine.read32(address)
        if (address - DMA) % CHANNEL == Offset.DMASR:
            if not self._machine.read32(address - 4) & Control.RUN:
                value |= Status.HALTED
            # Only what the engine writes: the rest may be newer here.
            table = np.frombuffer(self._machine.read_bytes(RAM, RING_BYTES), DESCRIPTOR)
            self._rings.bytes.view(DESCRIPTOR)["status"] = table["status"]
        return value

    def write32(self, address: int, value: int) -> None:
        offset = (address - DMA) % CHANNEL
        asked = value
        if offset in (Offset.CURDESC, Offset.TAILDESC):
            self._rings.sync_to_device(0, RING_BYTES)
        if offset == Offset.DMASR:
            value = self._machine.read32(address) & (Status.HALTED | Status.IDLE)
        channels = (DMA, DMA + CHANNEL) if offset == Offset.DMACR and value & Control.RESET else (address - offset,)
        for channel in channels:
            self._machine.write32(channel + offset, value)
        self.writes.append((offset, asked))

    def wait_interrupt(self, line: int, timeout: float) -> bool:
        return self._machine.wait_interrupt(line, timeout)

    def time(self) -> float:
        return self._machine.time()

    def sleep(self, seconds: float) -> None:
        self._machine.sleep(seconds)


@dataclass
class Ml605:
    machine: Qtest
    bus: RingBus
    dma: AxiDma
    rings: Pool
    data: Pool
    wire: socket.socket

    # A stream, so that no packet gets lost on the way: each has its length before it (QEMU's net/socket.c).
    def receive(self) -> bytes:
        """The next packet that the machine sent."""
        return self._exactly(int.from_bytes(self._exactly(4), "big"))

    def send(self, packet: bytes) -> None:
        """A packet to the machine, once a receive channel waits for it: QEMU may not wake one that comes later."""
        deadline = time.monotonic() + 5
        while self.bus.writes[-1][0] != Offset.TAILDESC and time.monotonic() < deadline:
            time.sleep(1e-4)
        self.wire.sendall(len(packet).to_bytes(4, "big") + packet)

    def _exactly(self, nbytes: int) -> bytes:
        received = b""
        while len(received) < nbytes:
            more = self.wire.recv(nbytes - len(received))
            assert more, "the machine closed its wire"
            received += more
        return received


@contextmanager
def ml605() -> Iterator[Ml605]:
    wire, theirs = socket.socketpair()
    with wire, theirs:
        wire.settimeout(5)
        arguments = [
            find_qemu("qemu-system-microblazeel"),
            *("-M", "petalogix-ml605", "-m", "256M"),
            *("-global", "microblaze-cpu.start-powered-off=on"),
            *("-nic", f"socket,fd={theirs.fileno()}"),
        ]
        # The second device is its xps-intc, whose inputs the channels' interrupts are.
        with Qtest(arguments, "/machine/unattached/device[2]", pass_fd=theirs.fileno()) as machine:
            machine.write32(ETHERNET + 0x408, 1 << 28)  # transmit
            machine.write32(ETHERNET + 0x404, 1 << 28)  # receive
            machine.write32(ETHERNET + 0x708, 1 << 31)  # whoever it is for
            mirrors = Mirror(machine, RAM, RING_BYTES), Mirror(machine, RAM + RING_BYTES, DATA_BYTES)
            regions = [
                MappedRegion(name, base, len(mirror.bytes), mirror, coherent=False)
                for name, base, mirror in zip(("rings", "data"), (RAM, RAM + RING_BYTES), mirrors, strict=True)
            ]
            bus = RingBus(machine, mirrors[0])
            spec = DmaSpec(
                "dma",
                DMA,
                sg=True,
                ports={MemoryKind.PS: "none"},
                mm2s_interrupt=MM2S_LINE,
                s2mm_interrupt=S2MM_LINE,
                length_width=23,
                address_width=32,
                data_width=4,
                dre=True,
            )
            native = native_bus(bus)
            try:
                rings, data = (RangePool(region, region.base, region.size, name=region.name) for region in regions)
                yield Ml605(machine, bus, AxiDma(native, spec), rings, data, wire)
            finally:
                native.cancel()
