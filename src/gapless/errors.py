"""Every exception gapless raises, in one place.

::

    GaplessError
    ├── BadArgumentError (ValueError)      what was asked cannot be: a name, a number, a file
    │   ├── UnknownNameError (KeyError)    no board, pool, engine or converter of that name
    │   ├── RegisterOffsetError (IndexError, MemoryError)  an offset in no register, or between two
    │   ├── UnknownHandleError             a client of PYNQ.remote has no buffer, registers or pin of that handle
    │   ├── SignalError                    the samples cannot be played: dtype, NaN, complex, empty file
    │   └── RateError                      the rate cannot be sustained: converter, port, engine
    ├── AllocationError (MemoryError)      a pool has no room for what was asked
    ├── AddressError                       a physical address is outside a region, taken or misaligned
    │   └── TakenError                     another program has it; has .pid, .command and .since
    ├── RegistryError                      the registry of who has which memory cannot be read or written
    ├── AccessDeniedError (PermissionError)  this program has not the rights for it
    ├── BufferUseError                     a buffer was used in a way that cannot be allowed
    │   ├── BufferFreedError               a buffer or a view of it was used after free()
    │   ├── BufferInFlightError            free() while a DMA channel still uses the buffer
    │   ├── BlockError                     a block of a stream was used after it was submitted or released,
    │   │                                  or given back twice
    │   └── NotContiguousError             a strided view or a copy has no physical address
    ├── BusAccessError                     a register access reached nothing
    ├── FileWriteError (OSError)           a file takes no more; what it has is valid
    ├── WaitTimeoutError (TimeoutError)    a wait ended without what it waited for
    ├── OutOfStepError                     converters of a pair did not run in step
    ├── JobCancelledError                  a job was stopped before its end
    ├── BoardClosedError                   the board was closed
    ├── FpgaLoadError                      the kernel did not load a bitstream; has .state and .status
    ├── IopError                           a soft processor is not in a state in which that can be done
    │   └── IopFaultError                  its program crashed; has .pc, .opcode and .address
    ├── UnsupportedError                   this board, build or installation cannot do that
    ├── PynqError (RuntimeError)           gapless.compat.pynq: what PYNQ raises RuntimeError for
    │   └── PynqDirectionError (AttributeError)  a pin was read or written against its direction
    └── DmaError                           the engine reported an error; has .address and .status
        ├── DmaStateError                  the channel is not in a state in which that can be done
        ├── DmaInternalError               DMASR.DMAIntErr
        ├── DmaSlaveError                  DMASR.DMASlvErr
        ├── DmaDecodeError                 DMASR.DMADecErr
        ├── SgInternalError                DMASR.SGIntErr
        ├── SgSlaveError                   DMASR.SGSlvErr
        └── SgDecodeError                  DMASR.SGDecErr

A message says what was asked, what is possible, and what to do.

What goes on, but not as on a board, is a warning::

    UserWarning
    └── UnmodelledIpWarning                a virtual board has IP of the design as plain registers only
"""

from __future__ import annotations

from collections.abc import Iterable


class GaplessError(Exception):
    """The root: ``except GaplessError`` catches everything gapless raises on purpose."""


class BadArgumentError(GaplessError, ValueError):
    """What was asked cannot be; nothing was started."""


class UnknownNameError(BadArgumentError, KeyError):
    """No such name: the message lists the names there are."""

    def __init__(self, what: str, asked: object, possible: Iterable[object]) -> None:
        names = ", ".join(str(name) for name in possible) or "none"
        super().__init__(f"no {what} {asked!r}: there is {names}")

    def __str__(self) -> str:  # KeyError would print the repr of the message
        return str(self.args[0])


class UnknownHandleError(BadArgumentError):
    """A client of PYNQ.remote named what is not its, or not any more."""


class RegisterOffsetError(BadArgumentError, IndexError, MemoryError):
    """An offset is beyond the registers, or no multiple of 4; PYNQ raises IndexError and MemoryError for these."""


class SignalError(BadArgumentError):
    """The samples given cannot be played or recorded as they are."""


class RateError(BadArgumentError):
    """The rate asked needs more than the converter, the memory port or the engine gives: with force it starts."""


class AllocationError(GaplessError, MemoryError):
    """A pool has no room for what was asked; the message says what is free and where there is more."""


class AddressError(GaplessError):
    """A physical address lies outside a region, is taken, or is misaligned."""


class TakenError(AddressError):
    """A range of memory or an engine is in use by another program, or was when that program died.

    Attributes:
        pid: its process id.
        command: its command line, shortened.
        since: when it took it, in seconds since 1970 (``time.time()``).
    """

    def __init__(self, message: str, *, pid: int, command: str, since: float) -> None:
        super().__init__(message)
        self.pid, self.command, self.since = pid, command, since


class RegistryError(GaplessError):
    """The registry under /run/gapless cannot be trusted or written: nothing is given out on a guess."""


class AccessDeniedError(GaplessError, PermissionError):
    """This program has not the rights for what was asked; the message says which ones would do."""


class BufferUseError(GaplessError):
    """A buffer was used in a way that cannot be allowed."""


class BufferFreedError(BufferUseError):
    """The buffer was freed: its memory may belong to somebody else by now."""


class BufferInFlightError(BufferUseError):
    """A DMA channel still uses the buffer."""


class BlockError(BufferUseError):
    """A block of a stream was used after it was submitted or released, or given back twice."""


class NotContiguousError(BufferUseError):
    """The array has no one physical address: it is strided, or it is a copy outside the pool."""


class BusAccessError(GaplessError):
    """A register access reached an address where no device answers."""


class FileWriteError(GaplessError, OSError):
    """A file takes no more samples: those that it has are valid, and its ledger says how many they are."""


class WaitTimeoutError(GaplessError, TimeoutError):
    """A wait ran out of time; the message says what it waited for."""


class OutOfStepError(GaplessError):
    """Converters of a pair passed different samples: one was started, stopped or fed without the other."""


class JobCancelledError(GaplessError):
    """A streaming job was stopped before its end."""


class BoardClosedError(GaplessError):
    """The board was closed: open it again."""


class FpgaLoadError(GaplessError):
    """The kernel's FPGA manager did not load a bitstream: the PL may have no design now.

    Attributes:
        state: the manager's state after it ("write error").
        status: what it says besides, or empty.
    """

    def __init__(self, message: str, *, state: str = "", status: str = "") -> None:
        super().__init__(message)
        self.state, self.status = state, status


class IopError(GaplessError):
    """A soft processor is not in a state in which that can be done."""


class IopFaultError(IopError):
    """A virtual board's soft processor cannot go on: what would pass in silence on a board.

    Attributes:
        pc: of the instruction that failed.
        opcode: that instruction.
        address: what it tried to reach, or 0.
    """

    def __init__(self, message: str, *, pc: int, opcode: int, address: int) -> None:
        super().__init__(message)
        self.pc, self.opcode, self.address = pc, opcode, address


class UnsupportedError(GaplessError):
    """This board, build or installation cannot do what was asked; the message says what would."""


class PynqError(GaplessError, RuntimeError):
    """What PYNQ raises a RuntimeError for: the message begins with its words, so that programs recognise it."""


class PynqDirectionError(PynqError, AttributeError):
    """A pin was read or written against its direction, for which PYNQ raises AttributeError."""


class DmaError(GaplessError):
    """A DMA engine reported an error.

    Attributes:
        address: the physical address concerned (descriptor or buffer), or None when unknown.
        status: the DMASR or descriptor status word as read.
    """

    def __init__(self, message: str, *, address: int | None = None, status: int = 0) -> None:
        super().__init__(message)
        self.address = address
        self.status = status


class DmaStateError(DmaError):
    """The channel is not in a state in which that can be done."""


class DmaInternalError(DmaError):
    """DMAIntErr: a descriptor of length 0, or a packet longer than the space offered (PG021, DMASR bit 4)."""


class DmaSlaveError(DmaError):
    """DMASlvErr: the addressed memory answered SLVERR (PG021, DMASR bit 5); ZDMA: or DECERR (UG1087, ISR)."""


class DmaDecodeError(DmaError):
    """DMADecErr: the buffer address decodes to nothing (PG021, DMASR bit 6)."""


class SgInternalError(DmaError):
    """SGIntErr: a fetched descriptor was already complete (PG021, DMASR bit 8)."""


class SgSlaveError(DmaError):
    """SGSlvErr: the memory that holds the descriptor answered SLVERR (PG021, DMASR bit 9; UG1087, ISR)."""


class SgDecodeError(DmaError):
    """SGDecErr: CURDESC or NXTDESC decodes to nothing (PG021, DMASR bit 10)."""


class UnmodelledIpWarning(UserWarning):
    """A design has IP that gapless has no model of: on a virtual board its registers only keep what is written."""
