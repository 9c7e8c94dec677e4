"""Prints what our AXI DMA driver and QEMU's engine say to each other: ``python -m tests.peers.axi_dma_log``."""

from __future__ import annotations

import numpy as np

from gapless.dma.registers import Offset

from .ml605 import Ml605, ml605
from .test_axi_dma import packet


def _descriptors(peer: Ml605, count: int) -> None:
    words = np.frombuffer(peer.machine.read_bytes(peer.rings.base, 64 * count), "<u4").reshape(count, 16)
    for number, row in enumerate(words.tolist()):
        print(
            f"  descriptor {number}: next {row[0]:#x} buffer {row[2]:#x} control {row[6]:#010x} status {row[7]:#010x}"
        )


def _writes(peer: Ml605) -> None:
    for offset, value in peer.bus.writes:
        print(f"  {Offset(offset).name} <- {value:#x}")
    peer.bus.writes.clear()


def main() -> None:
    with ml605() as peer:
        print("MM2S: one packet of 300 bytes from three pieces")
        data = packet(1, 300)
        with peer.data.allocate(1024, np.uint8) as buffer:
            buffer[:300] = np.frombuffer(data, np.uint8)
            at = buffer.physical_address
            pieces = np.array([(at, 100), (at + 100, 33), (at + 133, 167)], np.uint64)
            moved = peer.dma.mm2s.begin(pieces, [buffer], pool=peer.rings, one_packet=True).wait()
        _writes(peer)
        _descriptors(peer, 3)
        received = peer.receive()
        print(f"  on the wire: {len(received)} bytes, {'equal' if received == data else 'NOT EQUAL'}; {moved}")
        print("S2MM: packets of 60 and 1400 bytes into one buffer each")
        for number, nbytes in enumerate((60, 1400)):
            data = packet(2 + number, nbytes)
            with peer.data.allocate(2048, np.uint8) as buffer:
                rows = np.array([(buffer.physical_address, 2048)], np.uint64)
                transfer = peer.dma.s2mm.begin(rows, [buffer], pool=peer.rings)
                peer.send(data)
                transfer.wait()
                buffer.sync_from_device()
                equal = bytes(np.asarray(buffer[:nbytes])) == data
            _writes(peer)
            _descriptors(peer, 1)
            print(f"  in memory: {nbytes} bytes, {'equal' if equal else 'NOT EQUAL'}")


if __name__ == "__main__":
    main()
