"""Clocks: those that the PS of the board in use gives to the PL; and which processor it has."""

from __future__ import annotations

import platform
from typing import Any

from .board_in_use import board_of
from .clocks import ClockRegisters
from .device import Device

ZYNQ_ARCH, ZU_ARCH = "armv7l", "aarch64"
#: Of this machine, which may be no board at all; ``Device.active_device.arch`` is that of the board.
CPU_ARCH = platform.machine()
CPU_ARCH_IS_SUPPORTED = CPU_ARCH in (ZYNQ_ARCH, ZU_ARCH)
CPU_ARCH_IS_x86 = CPU_ARCH in ("x86_64", "AMD64")
ON_TARGET = CPU_ARCH_IS_SUPPORTED
DEFAULT_PL_CLK_MHZ = 100.0


class PsClocks:
    """Frequencies in MHz: ``Clocks.fclk0_mhz`` to ``fclk3_mhz``, which can be set, and ``Clocks.cpu_mhz``.

    A virtual board keeps what was set; its engines run on at the clock of their design. Source of names: PYNQ 3,
    ``pynq/ps.py``, where a class of the name ``Clocks`` has them.

    Raises UnsupportedError where the PS's registers are out of reach, as on a real board without access to them.
    """

    def __init__(self) -> None:
        self._device: Any = None

    def set_device(self, device: Any) -> None:
        """Whose clocks are meant from now on; None for the board in use."""
        self._device = device

    @property
    def cpu_mhz(self) -> float:
        """Of the processors."""
        return self._registers.cpu()

    def get_pl_clk(self, clk_idx: int) -> float:
        """Of clock ``clk_idx`` of the PL, 0 to 3."""
        return self._registers.get(clk_idx)

    def set_pl_clk(
        self, clk_idx: int, div0: int | None = None, div1: int | None = None, clk_mhz: float = DEFAULT_PL_CLK_MHZ
    ) -> None:
        """Set clock ``clk_idx`` of the PL, by its divisors or its frequency.

        Args:
            clk_idx: 0 to 3.
            div0, div1: divisors, 1 to 63; what is None is chosen so that the frequency comes near ``clk_mhz``.
            clk_mhz: the frequency. What can be had may be another: a UserWarning says so beyond 1 %.

        BadArgumentError for a clock, divisor or frequency that there is not; nothing is changed.
        """
        self._registers.set(clk_idx, div0, div1, clk_mhz)

    fclk0_mhz = property(lambda self: self.get_pl_clk(0), lambda self, mhz: self.set_pl_clk(0, clk_mhz=mhz))
    fclk1_mhz = property(lambda self: self.get_pl_clk(1), lambda self, mhz: self.set_pl_clk(1, clk_mhz=mhz))
    fclk2_mhz = property(lambda self: self.get_pl_clk(2), lambda self, mhz: self.set_pl_clk(2, clk_mhz=mhz))
    fclk3_mhz = property(lambda self: self.get_pl_clk(3), lambda self, mhz: self.set_pl_clk(3, clk_mhz=mhz))

    @property
    def _registers(self) -> ClockRegisters:
        return ClockRegisters(Device(board_of(self._device)))


Clocks = PsClocks()
