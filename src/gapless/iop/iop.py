"""A soft processor as the host drives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os import PathLike

import numpy as np

from .._native import Bus
from ..boards import IopSpec
from ..errors import AddressError, BadArgumentError, IopError, IopFaultError, UnsupportedError, WaitTimeoutError
from ..memory import Buffer, Pool, span
from ..units import format_address, format_size
from .bench import IopBench
from .mailbox import BYTES, COMMAND_WORD, DEFAULT_WINDOW, WINDOW_WORD, Mailbox
from .pins import Pin
from .program import Program

#: What idle programs leave in the word that starts them: 0, and what the published tutorial binary writes.
IDLE_WORDS = (0, 0xDEADBEEF)
#: Seconds from the release of reset until a program waits for commands: some clear the mailbox on their way there (the
#: published ones need up to 330 instructions), and what was written before would be lost.
_START_UP = 1e-4
#: Between two looks at a word, in seconds: the first, and the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 5e-6, 1e-3


class Iop:
    """A MicroBlaze in the PL: ``board.iop(1)``.

    Programming it: :meth:`load`, then :meth:`start`; it runs from address 0 of its local memory, which the host
    shares. Words go through :attr:`mailbox`, addresses of buffers as :meth:`device_address` gives them.

    Args:
        bus: the register bus.
        spec: what it is.
        pins: gives the pins of the PS's GPIO that hold it in reset and acknowledge its interrupt.
        pools: the memory of the board.
        bench: what a virtual board tells besides.
    """

    def __init__(
        self,
        bus: Bus,
        spec: IopSpec,
        pins: Callable[[int], Pin],
        pools: Callable[[], Iterable[Pool]],
        bench: IopBench | None = None,
    ) -> None:
        self.spec, self._bus, self._pools, self._bench = spec, bus, pools, bench
        self.mailbox = Mailbox(spec.name, bus, spec.base + spec.size - BYTES)
        self._reset, self._acknowledge = pins(spec.reset_pin), pins(spec.acknowledge_pin)
        self._program: Program | None = None
        self._running = False
        self._lent: list[Buffer] = []

    def __repr__(self) -> str:
        program = "no program" if self._program is None else self._program.name
        return f"<IOP {self.name}: {program}, {'running' if self._running else 'in reset'}>"

    @property
    def name(self) -> str:
        """Its name in the design."""
        return self.spec.name

    @property
    def program(self) -> Program | None:
        """What was loaded last."""
        return self._program

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped; a program that has crashed counts as running."""
        return self._running

    # ---- program

    def load(self, program: str | PathLike[str] | bytes | Program) -> Program:
        """Hold it in reset and fill its local memory: the program, and zeros after it.

        Args:
            program: as for :meth:`Program.load`.

        Raises:
            BadArgumentError: there is no such program, or it is larger than the local memory.
        """
        loaded = Program.load(program)
        size = self.spec.size
        if len(loaded.image) > size:
            raise BadArgumentError(
                f"program {loaded.name} has {len(loaded.image)} bytes: {self.name} has {size} ({format_size(size)}) of "
                "local memory for program, data and mailbox"
            )
        self.stop()
        words = np.zeros(size // 4, np.uint32)
        words.view(np.uint8)[: len(loaded.image)] = np.frombuffer(loaded.image, np.uint8)
        self._bus.write_words(self.spec.base, words)
        if self.spec.window.size and self.spec.window.base != DEFAULT_WINDOW:
            self.mailbox[WINDOW_WORD] = self.spec.window.base
        self._acknowledge_interrupt()
        self._program = loaded
        return loaded

    def start(self) -> None:
        """Let it run from address 0, and come to where it waits for commands; a running one goes on.

        IopError before the first :meth:`load`.
        """
        if self._program is None:
            raise IopError(f"{self.name} has no program: load(program) first")
        was_running, self._running = self._running, True
        self._reset.set(False)
        if not was_running:
            self._bus.sleep(_START_UP)

    def stop(self) -> None:
        """Hold it in reset; its local memory keeps what it has. Buffers that were passed to it may be freed."""
        self._reset.set(True)
        self._running = False
        self._take_back()

    def _lose(self) -> None:
        """Another design took its place."""
        self._running, self._program = False, None
        self._take_back()

    def reset(self) -> None:
        """:meth:`stop`, then :meth:`start`."""
        self.stop()
        self.start()

    # ---- memory

    def device_address(self, target: Buffer | int, nbytes: int | None = None) -> int:
        """Where the program finds memory of the board: the physical address, in its window.

        A buffer stays allocated until the program is done with it: until :meth:`wait_idle` or :meth:`command`
        returns, or :meth:`stop`. What the CPU wrote to it is visible to the program.

        Args:
            target: a buffer, or a physical address in one.
            nbytes: what the program is to use of it; by default all of a buffer, one word of an address.

        Raises:
            BadArgumentError: the buffer is shorter, or not in DMA memory.
            AddressError: it is outside the window, or no buffer is there.
            BufferFreedError, NotContiguousError: as :attr:`Buffer.physical_address`.
        """
        if isinstance(target, (int, np.integer)):
            address = int(target)
            wanted = 4 if nbytes is None else nbytes
            self._check_allocated(address, wanted)
        else:
            address, size = span(target)
            wanted = size if nbytes is None else nbytes
            if not 0 <= wanted <= size:
                raise BadArgumentError(
                    f"{self.name} is to use {wanted} bytes of a buffer at {format_address(address)} that has {size}"
                )
        window = self.spec.window
        if not window.size:
            raise AddressError(f"{self.name} sees none of the board's memory: its design gave it no way there")
        if not window.holds(address, wanted):
            end = window.physical + window.size
            raise AddressError(
                f"{format_size(wanted)} at {format_address(address)}: {self.name} sees only "
                f"{format_address(window.physical)} to {format_address(end - 1)}; allocate below={format_address(end)}"
            )
        if not isinstance(target, (int, np.integer)):
            target.sync_to_device()
            target.hold(self.name)
            self._lent.append(target)
        return window.address(address)

    def _check_allocated(self, address: int, nbytes: int) -> None:
        for pool in self._pools():
            found = pool.allocated_at(address)
            if found is None:
                continue
            first, size = found
            if address + nbytes > first + size:
                raise AddressError(
                    f"{nbytes} bytes at {format_address(address)} go beyond the buffer there, which has {size} from "
                    f"{format_address(first)} on: a program would overwrite what comes after it"
                )
            return
        raise AddressError(
            f"no buffer is at {format_address(address)}: a program that writes there overwrites somebody else's "
            "memory; give a buffer of one of the board's pools, or its physical_address"
        )

    def _take_back(self) -> None:
        lent, self._lent = self._lent, []
        for buffer in lent:
            buffer.unhold(self.name)
            if not buffer.freed:
                buffer.sync_from_device()

    # ---- talking to the program

    def command(self, word: int, *, timeout: float = 1.0) -> None:
        """Write the command word, and wait until the program has cleared it.

        Raises BadArgumentError for 0, which is no command; otherwise as :meth:`wait_word`.
        """
        if word == 0:
            raise BadArgumentError("0 is no command: programs wait for a command word that is not 0")
        self._check_running()
        self.mailbox[COMMAND_WORD] = word
        self._wait("it to clear its command word", lambda: self.mailbox[COMMAND_WORD] == 0, timeout, COMMAND_WORD)
        self._take_back()

    def wait_idle(self, timeout: float = 1.0, *, word: int = 0) -> None:
        """Wait until mailbox word ``word`` says that the program is idle: 0 or 0xDEADBEEF. Raises as wait_word."""
        self.wait_word(word, IDLE_WORDS, timeout)
        self._take_back()

    def wait_word(self, index: int, values: Iterable[int], timeout: float = 1.0) -> int:
        """Wait until mailbox word ``index`` is one of ``values``; that value.

        ``timeout`` is in seconds of the board's clock.

        Raises:
            WaitTimeoutError: it was none of them in this time; the message has what it was.
            IopFaultError: on a virtual board, the program has crashed.
            IopError: the processor was not started.
        """
        wanted = tuple(values)
        self._check_running()
        what = f"mailbox word {index} to be " + " or ".join(f"0x{value:X}" for value in wanted)
        self._wait(what, lambda: self.mailbox[index] in wanted, timeout, index)
        return self.mailbox[index]

    def wait_interrupt(self, timeout: float = 1.0) -> None:
        """Wait until the program interrupts the host, and acknowledge it.

        Raises WaitTimeoutError, IopFaultError as :meth:`wait_word`; UnsupportedError when the design has no line.
        """
        if self.spec.interrupt is None:
            raise UnsupportedError(
                f"{self.name} has no interrupt line to the host in this design, or nothing here tells of it "
                "(board.interrupts); wait_idle() and wait_word() need none"
            )
        if not self._bus.wait_interrupt(self.spec.interrupt, timeout):
            self._check_fault()
            raise WaitTimeoutError(f"{self.name}: waited {timeout} s for its interrupt; {self._state()}")
        self._acknowledge_interrupt()

    async def interrupt(self, timeout: float = 1.0) -> None:
        """:meth:`wait_interrupt` in an asyncio program."""
        import asyncio

        await asyncio.to_thread(self.wait_interrupt, timeout)

    def _acknowledge_interrupt(self) -> None:
        self._acknowledge.set(True)
        self._acknowledge.set(False)

    def _wait(self, what: str, done: Callable[[], bool], timeout: float, index: int) -> None:
        deadline, pause = self._bus.time() + timeout, _FIRST_PAUSE
        while not done():
            self._check_fault()
            left = deadline - self._bus.time()
            if left <= 0:
                raise WaitTimeoutError(
                    f"{self.name}: waited {timeout} s for {what}; it is 0x{self.mailbox[index]:X}, {self._state()}"
                )
            self._bus.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _check_running(self) -> None:
        if not self._running:
            raise IopError(f"{self.name} is in reset: start() it first")
        self._check_fault()

    def _check_fault(self) -> None:
        fault = None if self._bench is None else self._bench.fault
        if fault is not None:
            where = "" if self._program is None else self._program.symbol(fault.pc)
            raise IopFaultError(
                f"{self.name} stopped: {fault.text}{f' in {where}' if where else ''}; reset() starts it again",
                pc=fault.pc,
                opcode=fault.opcode,
                address=fault.address,
            )

    def _state(self) -> str:
        if not self._running:
            return "and it is in reset"
        program = "its program" if self._program is None else self._program.name
        if self._bench is None:
            return f"{program} may have crashed, or wait for something else"
        where = "" if self._program is None else self._program.symbol(self._bench.pc)
        return f"{program} is at PC 0x{self._bench.pc:08X}{f' ({where})' if where else ''}"
