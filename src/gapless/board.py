"""A board: its memory, its register bus, its DMA engines and converters."""

from __future__ import annotations

import importlib
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from ._native import Bus
from .boards import BoardSpec
from .dma import AxiDma, Zdma, leave_at_exit
from .errors import AddressError, BadArgumentError, BoardClosedError, UnknownNameError, UnsupportedError
from .fitted import Refit
from .memory import AddressMap, Buffer, Pool, Pools, for_descriptors
from .stream import Adc, Bench, Dac, Probe
from .units import format_address, format_size

if TYPE_CHECKING:
    from .boards.fpga_manager import Loaded
    from .iop import Iop, IopBench, Pin
    from .memory.providers import Mode

#: Who opens the boards of a scheme. Imported when first asked for: nothing else may import virtual/.
_OPENERS = {"virtual": "gapless.virtual", "local": "gapless.local"}

_C = TypeVar("_C")


class Finding(NamedTuple):
    """Something software did wrong that a real board would not have told.

    ``time`` in seconds of the virtual clock; ``address`` is physical.
    """

    time: float
    kind: str
    text: str
    address: int


class Board:
    """What :func:`open` returns. A context manager: leaving it closes the board.

    Attributes:
        uri: what it was opened as.
        spec: the description it is driven by.
        bus: the register bus.
        address_map: every region of memory.
        memory: the pools by name.
        zdma: the PS's own DMA, memory to memory.
        probe: the bench around a virtual board; None on a real one.
        modes: the ways to memory of a real board, with why some are not there; empty on a virtual one.
        interrupts: how each interrupt line of a real board is told of, by the name of its engine and channel:
            ``"uio2 (name)"`` or ``"polled (why)"``; empty on a virtual one.
    """

    def __init__(
        self,
        uri: str,
        spec: BoardSpec,
        bus: Bus,
        address_map: AddressMap,
        memory: Mapping[str, Pool],
        *,
        probe: Probe | None = None,
        findings: Callable[[], list[tuple[float, str, str, int]]] = list,
        modes: tuple[Mode, ...] = (),
        interrupts: Mapping[str, str] = MappingProxyType({}),
        zdma: Zdma | None = None,
        closed: Callable[[], object] = lambda: None,
        map_physical: Callable[[int, int], Buffer] | None = None,
        iop_benches: Mapping[int, IopBench] = MappingProxyType({}),
        missing_iops: Mapping[int, str] = MappingProxyType({}),
        pins: Callable[[int], Pin] | None = None,
        refit: Refit | None = None,
    ) -> None:
        self.uri, self.bus, self.address_map = uri, bus, address_map
        self.memory = Pools(memory, modes)
        self.modes, self.interrupts, self._closed = modes, interrupts, closed
        self._findings, self._map_physical = findings, map_physical
        self._descriptor_pool = for_descriptors(memory)
        self.zdma = Zdma(bus, spec.zdmas, pool=self._descriptor_pool) if zdma is None else zdma
        self._missing_iops, self._pins = missing_iops, pins
        self._refit, self._load_lock = refit, threading.Lock()
        self._when_loaded, self._ended = list[Callable[[], object]](), False
        self._iops, self._iop_lock = dict[int, "Iop"](), threading.Lock()
        self._drivers = weakref.WeakSet[AxiDma]()  # those of earlier designs, too, that were started again
        self._drive(spec, probe, iop_benches)

    def _drive(self, spec: BoardSpec, probe: Probe | None, iop_benches: Mapping[int, IopBench]) -> None:
        self.spec, self.probe = spec, probe
        self._dmas = {dma.name: AxiDma(self.bus, dma, self._drivers.add) for dma in spec.dmas}
        self._drivers.update(self._dmas.values())
        leave_at_exit(self._dmas.values())
        with self._iop_lock:
            for iop in self._iops.values():
                iop._lose()
            self._iops.clear()
            self._iop_benches = iop_benches
        dacs, adcs = dict[int, Dac](), dict[int, Adc]()
        if self._descriptor_pool is not None:
            bench = Bench(self.uri, spec, self.bus, self.memory, self._dmas, probe, self._descriptor_pool)
            dacs = {part.index: Dac(bench, part) for part in spec.converters if part.direction == "dac"}
            adcs = {part.index: Adc(bench, part) for part in spec.converters if part.direction == "adc"}
        self._dacs, self._adcs = dacs, adcs

    def __repr__(self) -> str:
        return f"<Board {self.uri}: {self.spec.title}>"

    def dac(self, index: int = 0) -> Dac:
        """DAC number ``index``; UnsupportedError says why the board has none."""
        return self._numbered("DAC", index, self._dacs)

    def adc(self, index: int = 0) -> Adc:
        """ADC number ``index``; UnsupportedError says why the board has none."""
        return self._numbered("ADC", index, self._adcs)

    def dma(self, name: str) -> AxiDma:
        """The DMA instance called ``name``."""
        if name not in self._dmas:
            raise UnknownNameError("DMA", name, self._dmas)
        return self._dmas[name]

    def iop(self, number: int = 1) -> Iop:
        """The soft processor with this number, counted from 1; UnsupportedError says why there is none."""
        if number in self._missing_iops:
            raise UnsupportedError(f"iop{number} of {self.uri} cannot be used: {self._missing_iops[number]}")
        with self._iop_lock:
            if not self._iops:
                self._iops.update(self._make_iops())
        return self._numbered("IOP", number, self._iops)

    def pin(self, number: int) -> Pin:
        """A pin of the PS's GPIO as an output, counted from the first that leads to the PL.

        UnsupportedError when there is no such GPIO, or this machine does not give the pin.
        """
        from .iop import RegisterPin

        if self.spec.ps_gpio is None:
            raise UnsupportedError(f"{self.uri} knows of no GPIO of the PS")
        try:
            return self._pins(number) if self._pins else RegisterPin(self.bus, self.spec.ps_gpio, number)
        except KeyError:
            raise UnsupportedError(f"pin {number} of {self.uri}: only the pins of its IOPs can be driven") from None

    def map_physical(self, base: int, nbytes: int) -> Buffer:
        """A buffer (uint8, shape (nbytes,)) on physical memory from ``base`` on that no pool has.

        Such as what a design has in the PL, and no pool knows of. Whether anything answers there is the caller's to
        know: an access to nothing ends the process, or hangs the board.

        Raises:
            AddressError: Linux, a driver, a pool or another program has part of it; the message names it.
            AccessDeniedError: /dev/mem is not this user's, or the kernel refuses.
        """
        if self._map_physical is None:
            raise AddressError(
                f"{format_size(nbytes)} at {format_address(base)}: on this board all memory is in pools, or Linux has "
                "it; pool.allocate(shape, dtype, address=) gives a place in one"
            )
        return self._map_physical(base, nbytes)

    def load(self, path: str | Path, *, partial: bool = False) -> Loaded:
        """Load a design into the PL.

        On a real board, a bitstream: see :func:`gapless.boards.designs.load_bitstream` for arguments and errors.

        On a virtual board, any design for its device: a .bit with its .hwh beside it, a .hwh or an .xsa, or the name
        alone of a built-in design. It takes the place of what was in the PL, in place: :attr:`spec`, :attr:`probe`,
        engines, converters, IOPs and the pools of the PL change; memory of the PS and its buffers, the PS's DMA, its
        GPIO and the board's clock go on. Transfers under way are cancelled. What is still held of the old design
        reaches nothing any more, or what is there now. The same design again resets the PL.

        Raises:
            BadArgumentError: the design is for another device, or cannot be read or built.
            UnknownNameError: there is no such file or built-in design.
            BufferUseError: buffers are still in the memory of the PL.
            UnsupportedError: ``partial`` on a virtual board.

        Whatever is raised on a virtual board, the design that was in the PL still is.
        """
        from .boards.designs import find_design, load_bitstream
        from .boards.fpga_manager import Loaded

        if self._refit is None:
            return load_bitstream(self.spec, path, partial=partial)
        if partial:
            raise UnsupportedError(f"{path}: a virtual board loads whole designs, no parts of one")
        self.bus.time()  # raises in a callback of the board, which must not wait for another thread that loads
        found = find_design(self.spec, path)
        self._replace(self._refit, found.spec)
        return Loaded(found.name, "operating", 0.0)

    def _replace(self, refit: Refit, spec: BoardSpec) -> None:
        with self._load_lock, ExitStack() as held:
            if self._ended:
                raise BoardClosedError(f"{self.uri} was closed: open it again")
            for dma in list(self._drivers):
                held.enter_context(dma._lock)  # nothing is started meanwhile
            fitted = refit(spec, self._stop)
            for name in set(self.memory) - set(fitted.memory):
                del self.memory[name]
            self.memory.update(fitted.memory)
            self._drivers.clear()
            self._drive(fitted.spec, fitted.probe, fitted.iop_benches)
        for call in self._when_loaded:
            call()

    def when_loaded(self, call: Callable[[], object]) -> None:
        """Have ``call()`` called after every :meth:`load` of this virtual board.

        What stands around a design is gone with it: taps, what is attached to peripherals, execution logs.
        """
        self._when_loaded.append(call)

    def _stop(self) -> None:
        with ExitStack() as stack:
            for dma in list(self._drivers):
                stack.callback(dma._cancel_all)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What software did wrong so far, on a virtual board; always empty on a real one."""
        return tuple(Finding(*found) for found in self._findings())

    def close(self) -> None:
        """End what is still under way; nothing can be started any more. Arrays on its memory stay readable.

        Any thread may close it: a play or a recording that another one waits for ends with
        JobCancelledError or BoardClosedError.
        """
        self._ended = True
        with ExitStack() as stack:
            stack.callback(self.bus.cancel)
            stack.callback(self._closed)
            stack.callback(self.zdma.close)
            for dma in list(self._drivers):
                stack.callback(dma._close)

    def _make_iops(self) -> Iterator[tuple[int, Iop]]:
        """When the first is asked for: few programs have one."""
        from .iop import Iop

        for spec in self.spec.iops:
            if spec.index not in self._missing_iops:
                bench = self._iop_benches.get(spec.index)
                yield spec.index, Iop(self.bus, spec, self.pin, self.memory.values, bench)

    def _numbered(self, what: str, index: int, known: Mapping[int, _C]) -> _C:
        if index in known:
            return known[index]
        if self.spec.converters and not self.memory:
            raise UnsupportedError(f"{self.uri} has no memory to play from or record to: gapless memory says why")
        if not known and self.probe is None:
            raise UnsupportedError(f"{self.uri} has no {what}: design {self.spec.design}")
        raise UnknownNameError(what, index, known)

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def open(uri: str = "virtual:zcu111") -> Board:
    """Open a board.

    Args:
        uri: ``virtual:zcu111`` for the virtual ZCU111, ``virtual:pynq-z2`` for the virtual PYNQ-Z2 with two soft
            processors; options follow a question mark: ``ps=32GiB`` (a ZCU111's SODIMM, 4GiB as delivered),
            ``cma=128MiB``, ``fifo=1MiB`` (depth of the stream FIFOs), ``read=200ns`` and ``write=100ns`` (cost of a
            register access),
            ``clock=measured`` with ``slowdown=15`` (the software's own CPU time counts, that many times over),
            ``clock=wall`` (time passes as on the wall while nobody touches the bus).
            ``virtual:FILE.hwh`` (or .bit, .xsa) for a virtual board as that design describes it, with the same options.
            ``local`` for the board that this program runs on: memory, interrupts and the PS's DMA; with
            ``local?design=awg`` (ZCU111; ``pynq_tutorial`` on a PYNQ-Z2) what a built-in design has, and with
            ``local?design=FILE.hwh`` what that design has; it has to be loaded.

    Raises UnknownNameError or BadArgumentError when there is no such board, UnsupportedError when this machine is not.
    Warns (UnmodelledIpWarning) of IP in a design that a virtual board has no model of.
    """
    scheme, colon, _ = uri.partition(":")
    if uri.partition("?")[0] == "local":
        scheme, colon = "local", ":"
    if scheme not in _OPENERS or not colon:
        raise UnknownNameError(
            "board", uri, ("virtual:zcu111", "virtual:zcu111?ps=32GiB", "virtual:pynq-z2", "virtual:FILE.hwh", "local")
        )
    try:
        opener = importlib.import_module(_OPENERS[scheme]).open_board
    except ModuleNotFoundError as error:  # pragma: no cover - a broken installation
        raise BadArgumentError(f"board {uri!r} needs {error.name}, which is not installed") from error
    return cast(Board, opener(uri))
