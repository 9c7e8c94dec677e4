"""Faults to inject into a virtual board, to see that software takes them well."""

from __future__ import annotations

from .._native import Machine, Parts
from ..errors import BadArgumentError, UnknownNameError


class Faults:
    """What can break: ``board.probe.faults``."""

    def __init__(
        self, machine: Machine, parts: Parts, dmas: dict[str, int], ports: dict[str, int], zdmas: dict[str, int]
    ) -> None:
        self._machine, self._parts, self._dmas, self._ports, self._zdmas = machine, parts, dmas, ports, zdmas

    def slave_error(self, address: int, nbytes: int) -> None:
        """Memory in ``[address, address + nbytes)`` answers SLVERR from now on."""
        self._machine.add_slave_error(address, nbytes)

    def clear_slave_errors(self) -> None:
        """All memory answers again."""
        self._machine.clear_slave_errors()

    def stall(self, dma: str, channel: str, stalled: bool = True) -> None:
        """Hold the stream of a DMA's ``"mm2s"`` or ``"s2mm"`` channel still, or let it go on."""
        self._parts.set_stalled(self._dma(dma), self._channel(channel), stalled)

    def lose_interrupt(self, dma: str, channel: str, lost: bool = True) -> None:
        """Keep a channel's interrupt from reaching the processor, or let it through again."""
        self._parts.set_interrupt_lost(self._dma(dma), self._channel(channel), lost)

    def lose_zdma_interrupt(self, channel: str, lost: bool = True) -> None:
        """Keep the interrupt of a channel of the PS's DMA from reaching the processor, or let it through again."""
        if channel not in self._zdmas:
            raise UnknownNameError("ZDMA channel", channel, self._zdmas)
        self._machine.set_zdma_interrupt_lost(self._zdmas[channel], lost)

    def slow_memory(self, port: str, fraction: float) -> None:
        """Let a memory port give only this fraction of its bandwidth (1 is all of it)."""
        if port not in self._ports:
            raise UnknownNameError("memory port", port, self._ports)
        if not 0 < fraction <= 1:
            raise BadArgumentError(f"fraction={fraction!r}: memory gives more than 0 and at most 1, all of it")
        self._machine.set_port_speed(self._ports[port], fraction)

    def _dma(self, name: str) -> int:
        if name not in self._dmas:
            raise UnknownNameError("DMA", name, self._dmas)
        return self._dmas[name]

    @staticmethod
    def _channel(name: str) -> str:
        if name not in ("mm2s", "s2mm"):
            raise UnknownNameError("channel", name, ("mm2s", "s2mm"))
        return name
