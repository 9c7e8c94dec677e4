"""Assembly of the board that this program runs on."""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from .._native import MmioBus
from ..board import Board
from ..boards import BoardSpec
from ..dma import AxiDma, Zdma
from ..errors import GaplessError, UnsupportedError
from ..memory import AddressMap, Pool, for_descriptors
from ..memory.claims import Claims
from ..memory.providers import discover
from ..memory.providers.devmem import map_physical
from .engines import Engines, EngineStopper, reserve
from .interrupts import add_lines
from .iops import Iops
from .machine import LocalMachine, local_machine
from .proof import ZdmaProof
from .registers import Needed, Registers, needed_windows, optional_windows
from .uio import Window
from .uri import parse_uri


def open_board(uri: str, *, root: Path = Path("/")) -> Board:
    """Open the board that this program runs on.

    On a machine that is none of the boards gapless knows there are no registers, only the memory that Linux gives.

    Raises UnsupportedError for a design on such a machine, or when its registers cannot be reached.
    """
    design = parse_uri(uri)
    machine = local_machine(root)
    if machine.board is not None:
        return build_board(machine.board.spec(design), uri=uri, root=root)
    if design is not None:
        raise UnsupportedError(
            f"board {uri}: this is {machine}, which is no board that gapless knows; virtual:zcu111 works anywhere"
        )
    return build_board(_host(machine), uri=uri, root=root)


def build_board(
    spec: BoardSpec,
    *,
    uri: str = "local",
    root: Path = Path("/"),
    windows: Iterable[Window] = (),
    pools: Mapping[str, Pool] | None = None,
) -> Board:
    """Build the board of any design on this machine.

    The engines, converters and pairs of ``spec`` have to be there: an error says which registers cannot be reached
    and why. ZDMA channels, peripherals and other IP that cannot be had are left out, and ``board.interrupts`` says
    why; soft processors, too, and ``board.iop()`` says why.

    Args:
        spec: what the board and the design that is loaded are made of.
        uri: what the board and its reports say it was opened as.
        root: where /dev, /proc, /run and /sys are.
        windows: registers that are mapped already; the others are found, by UIO or /dev/mem.
        pools: memory besides what the machine offers, or in its place, by name.
    """
    bus, registers = MmioBus(), Registers(root)
    with ExitStack() as stack:
        stack.callback(registers.close)  # the bus has descriptors of its own
        given = {window.base: window for window in windows}
        for needed in needed_windows(spec):
            bus.add_window(*(given.get(needed.base) or registers.map(needed)))
        present, interrupts = [], {}
        for channel in spec.zdmas:
            try:
                bus.add_window(*(given.get(channel.base) or registers.map(Needed(channel.name, channel.base))))
                present.append(channel)
            except GaplessError as error:
                interrupts[channel.name] = f"not there: {error}"
        for part in optional_windows(spec):
            try:
                bus.add_window(*(given.get(part.base) or registers.map(part)))
            except GaplessError as error:
                interrupts[part.name] = f"not there: {error}"
        iops = Iops(bus, spec, registers, root, given)
        spec = replace(spec, zdmas=tuple(present), iops=iops.specs)
        interrupts |= add_lines(bus, spec, registers) | iops.interrupts
    stopper = EngineStopper(bus, spec, iops.holds())
    claims = Claims(root, stop_engine=stopper)
    zdma = Zdma(bus, spec.zdmas, reserve=reserve(claims, spec))
    found = discover(spec, root=root, claims=claims, prove=ZdmaProof(zdma) if spec.zdmas else None)
    memory = {**found.pools, **(pools or {})}
    zdma.pool = for_descriptors(memory)
    for pool in memory.values():
        pool._hints = memory.values
    engines = Engines(claims, stopper, spec)

    def closed() -> None:
        try:
            engines.release()
        finally:
            iops.close()

    board = Board(
        uri,
        spec,
        bus,
        _address_map(memory.values()),
        memory,
        modes=found.modes,
        interrupts=interrupts,
        zdma=zdma,
        closed=closed,
        missing_iops=iops.missing,
        pins=iops.pins(engines),
        map_physical=lambda base, nbytes: map_physical(base, nbytes, root=root, claims=claims, pools=memory.values()),
    )
    _engines.update(board.dma(dma.name) for dma in spec.dmas)
    return board


def _host(machine: LocalMachine) -> BoardSpec:
    return BoardSpec(
        "host",
        f"{machine}, which is no board that gapless knows",
        (),
        (),
        (),
        (),
        (),
        design="none: this machine has no PL; virtual:zcu111 works anywhere",
    )


def _address_map(pools: Iterable[Pool]) -> AddressMap:
    address_map = AddressMap()
    for pool in pools:
        region = getattr(pool, "region", None)  # huge pages are many
        if region is not None and region not in list(address_map):
            address_map.add(region)
    return address_map


# An engine that plays when the program ends would go on reading memory that Linux gives to others. This runs before
# the registry of claims is closed, since that was imported before.
_engines: weakref.WeakSet[AxiDma] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    for engine in list(_engines):
        with suppress(GaplessError):  # the registry keeps its memory taken then
            engine._close()
