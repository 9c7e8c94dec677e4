"""Our model of the MicroBlaze, with every unit, and the same two pieces of memory as QEMU's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gapless._native import HostMemory, MicroBlaze

from . import layout as at
from .programs import Outcome, Program

#: In cycles: programs are executed in pieces, so that they are interrupted anywhere, and end long before the limit.
_PIECE, _LIMIT = 9973, 1 << 25
#: Makes other instructions of some: the test's way to a processor that is wrong.
Breakage = Callable[[NDArray[np.uint32]], NDArray[np.uint32]]


class Ours:
    """``breakage`` changes the body before it is loaded; what it changed is changed back in the outcome."""

    def __init__(self, breakage: Breakage | None = None) -> None:
        self._breakage = breakage
        self._memory = HostMemory(at.WINDOW_BYTES)
        self._window: NDArray[np.uint32] = self._memory.view(0, at.WINDOW_BYTES, self).view("<u4")
        #: Of the last run: how many, and why it did not reach its end ("" where it did).
        self.instructions, self.stopped = 0, ""

    def _words(self, address: int, count: int) -> NDArray[np.uint32]:
        return self._window[(address - at.WINDOW) // 4 :][:count]

    def _loaded(self, program: Program) -> NDArray[np.uint32]:
        local = program.local.copy()
        if self._breakage is not None:
            local[program.body] = self._breakage(local[program.body])
        return local

    def begin(self, program: Program) -> MicroBlaze:
        """A processor about to execute the program."""
        cpu = MicroBlaze(
            local_bytes=at.LOCAL_BYTES,
            multiplier="mul64",
            barrel_shifter=True,
            divider=True,
            pattern_compare=True,
            msr_instructions=True,
            illegal_opcode_exception=True,
            unaligned_exceptions=True,
            divide_exception=True,
            memory=self._memory,
            memory_base=at.WINDOW,
        )
        cpu.write_local(0, self._loaded(program).tobytes())
        self._words(at.WINDOW_DATA, program.data.size)[:] = program.data
        self._words(at.INPUTS, program.inputs.size)[:] = program.inputs.ravel()
        self._words(at.RESULTS, program.inputs.size)[:] = 0
        return cpu

    def outcome(self, cpu: MicroBlaze, program: Program) -> Outcome:
        """Memory as it is now."""
        local = np.asarray(cpu.local).view("<u4").copy()
        loaded = self._loaded(program)
        unchanged = (local == loaded) & (loaded != program.local)
        local[unchanged] = program.local[unchanged]
        results = self._words(at.RESULTS, program.inputs.size).reshape(-1, 32)
        return Outcome(local, self._words(at.WINDOW_DATA, program.data.size).copy(), results.copy())

    def run(self, program: Program) -> Outcome:
        """All of it, or what there is when it cannot go on."""
        cpu = self.begin(program)
        while cpu.pc != program.halt and cpu.cycle < _LIMIT and cpu.run(_PIECE) != "fault":
            pass
        self.instructions, self.stopped = cpu.instructions, ""
        if cpu.pc != program.halt:
            self.stopped = f"at {cpu.pc:#x} after {cpu.cycle} cycles" if cpu.fault is None else cpu.fault[-1]
        return self.outcome(cpu, program)

    def path(self, program: Program) -> tuple[NDArray[np.int64], Outcome]:
        """The address of each instruction of all rounds in order, executed one by one, and what that comes to."""
        cpu, path = self.begin(program), []
        while (pc := cpu.pc) != program.halt and not cpu.fault:
            path.append(pc)
            cpu.step(1)
        return np.array(path, np.int64), self.outcome(cpu, program)
