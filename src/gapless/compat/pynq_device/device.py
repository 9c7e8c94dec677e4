"""A board of gapless as a ``Device`` of PYNQ."""

from __future__ import annotations

from typing import Any

from pynq import Device

from ...board import Board
from ...errors import BadArgumentError
from ...memory import DmaBuffer
from ..pynq.in_pl import find_design
from .handoffs import metadata
from .memory import BoardMemory
from .registers import Registers

_POOL = "ps-cma"


class GaplessDevice(Device):  # type: ignore[misc]  # PYNQ has no types
    """The board that PYNQ's code runs on: the first that PYNQ finds, so that it is its ``active_device``.

    It is what a Zynq board is to PYNQ: registers are mapped (MEMORY_MAPPED), buffers are its memory, bitstreams are
    loaded into its PL. Nothing is written to PYNQ's folder: there is no cache of metadata.

    Attributes:
        board: the board.
        arch: its processor, as Linux calls it.
        name: of the board.
    """

    # PYNQ's own classes have 50 and more.
    _probe_priority_ = 10
    #: What :meth:`_probe_` finds; set before PYNQ looks for devices.
    found: tuple[Board, str] | None = None

    @classmethod
    def _probe_(cls) -> list[GaplessDevice]:
        return [] if cls.found is None else [cls(*cls.found)]

    def __init__(self, board: Board, machine: str) -> None:
        super().__init__(board.uri)
        self.board, self.arch, self.name = board, machine, board.spec.name
        self.capabilities = {"MEMORY_MAPPED": True}
        # Known, and nothing: or PYNQ would take what another process left in its folder.
        self.bitfile_name = self.timestamp = ""
        self.clear_dict()

    # ---- registers and memory

    def mmap(self, base_addr: int, length: int) -> Registers:
        """Registers, for ``MMIO``."""
        return Registers(self.board, base_addr, range(length // 4))

    @property
    def default_memory(self) -> BoardMemory:
        """Where ``allocate`` takes buffers from."""
        pool = self.board.memory[_POOL]
        return BoardMemory(self, pool, pool.base, pool.size)

    def get_memory(self, description: dict[str, Any]) -> BoardMemory:
        """The memory of an entry of ``mem_dict``, for ``overlay.NAME``, with the pool of the board that is in it."""
        base, size = description["base_address"], description["size"]
        pools = self.board.memory.values()
        inside = next((pool for pool in pools if pool.size and base <= pool.base < base + size), None)
        return BoardMemory(self, inside, base, size)

    def flush(self, bo: DmaBuffer, offset: int, _virtual_address: int, nbytes: int) -> None:
        """Let devices see ``nbytes`` bytes of ``bo`` from ``offset`` on."""
        bo[offset : offset + nbytes].sync_to_device()

    def invalidate(self, bo: DmaBuffer, offset: int, _virtual_address: int, nbytes: int) -> None:
        """Let the program see what devices wrote there."""
        bo[offset : offset + nbytes].sync_from_device()

    # ---- designs

    def get_bitfile_metadata(self, bitfile_name: str, partial: bool = False) -> Any:
        """What is in the design of that file, or in the built-in one of its name: PYNQ's dictionaries.

        UnknownNameError when there is neither, BadArgumentError when its hand-off cannot be read.
        """
        if partial:
            raise BadArgumentError(f"{bitfile_name}: partial bitstreams are not loaded here")
        return metadata(find_design(self.board, bitfile_name))

    def download(self, bitstream: Any, parser: Any = None) -> None:
        """Load a bitstream into the PL."""
        self.board.load(bitstream.bitfile_name, partial=bitstream.partial)
        if parser is None:
            parser = self.get_bitfile_metadata(bitstream.bitfile_name)
        self.post_download(bitstream, parser, self.name)

    def gen_cache(self, bitstream: Any, parser: Any = None) -> None:
        """Nothing: PYNQ's own devices keep what they parsed in PYNQ's folder, for other processes."""

    def shutdown(self) -> None:
        """Nothing: the board has no shutdown managers that a file of PYNQ's would list."""
