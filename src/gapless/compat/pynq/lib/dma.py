"""DMA: an AXI DMA engine with PYNQ's names, on the driver of gapless."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....dma import AxiDma
from ....errors import UnknownNameError
from ....units import format_address
from ..ip import DefaultIP
from .dma_channel import DMAChannel


class DMA(DefaultIP):
    """An AXI DMA engine: ``sendchannel`` from memory to stream, ``recvchannel`` from stream to memory.

    Source of names and behaviour: PYNQ 3, ``pynq/lib/dma.py``.

    Args:
        description: of the engine, as in ``Overlay.ip_dict``; which it is, its ``phys_addr`` says.

    Attributes:
        sendchannel, recvchannel: a :class:`DMAChannel`; None where the engine was built without.
        buffer_max_size: bytes that the engine moves at a time. A longer transfer is several of these.
        engine: the same engine as gapless has it.

    Raises:
        UnknownNameError: the board has no such engine at that address.
        BadArgumentError: the description is none.
    """

    bindto = ("xilinx.com:ip:axi_dma:7.1",)

    def __init__(self, description: Mapping[str, Any]) -> None:
        super().__init__(description)
        board = self.device.board
        specs = {spec.base: spec for spec in board.spec.dmas}
        base = self.mmio.base_addr
        if base not in specs:
            raise UnknownNameError("DMA at", format_address(base), map(format_address, specs))
        spec = specs[base]
        self.engine: AxiDma = board.dma(spec.name)
        self.buffer_max_size = spec.max_length
        sends, receives = spec.mm2s_interrupt is not None, spec.s2mm_interrupt is not None
        self.sendchannel = DMAChannel(self.engine, self.engine.mm2s, board.bus) if sends else None
        self.recvchannel = DMAChannel(self.engine, self.engine.s2mm, board.bus) if receives else None
