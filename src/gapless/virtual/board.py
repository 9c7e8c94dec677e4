"""Assembly of a virtual board from its description."""

from __future__ import annotations

import warnings
import weakref
from types import MappingProxyType

from .._native import Machine
from ..board import Board
from ..boards import BoardSpec
from ..errors import UnmodelledIpWarning
from .ips import Models
from .ps import Ps
from .unmodelled import unmodelled
from .uri import parse_uri


def open_board(uri: str) -> Board:
    """Build the virtual board that ``uri`` asks for."""
    options = parse_uri(uri.partition(":")[2])
    if text := unmodelled(options.spec):
        warnings.warn(text, UnmodelledIpWarning, stacklevel=3)  # where gapless.open() was called
    return build_board(
        options.spec,
        uri=uri,
        read_cost=options.read_cost,
        write_cost=options.write_cost,
        slowdown=options.slowdown,
        wall_clock=options.wall_clock,
    )


def build_board(
    spec: BoardSpec,
    *,
    uri: str | None = None,
    read_cost: float = 200e-9,
    write_cost: float = 100e-9,
    slowdown: float = 0.0,
    wall_clock: bool = False,
    models: Models = MappingProxyType({}),
) -> Board:
    """Build a virtual board of any design.

    Args:
        spec: what it is made of.
        uri: what the board and its reports say it was opened as; by default ``virtual:`` and its name.
        read_cost, write_cost: seconds that a register access takes.
        slowdown: 0 is the deterministic clock, on which software takes no time but for its accesses. Above 0 the
            CPU time it spends between two accesses counts, too, that many times over.
        wall_clock: while nobody touches the bus time passes as on the wall, so that a program that sleeps
            finds done what would be done on a board. The same run is then no longer the same twice.
        models: of the design's own IP, by its name: an :class:`IpModel`, or a class of one. For an IP that is not
            in here, the class that is bound to its VLNV.
    """
    machine = Machine(read_cost, write_cost, slowdown)
    ps, bus = Ps(machine, spec, models), machine.bus()

    def closed() -> None:
        machine.stop_wall_clock()
        bus.cancel()  # else who waits on it may hold the models for long
        ps.close()

    board = Board(
        uri or f"virtual:{spec.name}",
        spec,
        bus,
        ps.address_map,
        ps.pools,
        probe=ps.pl.probe,
        findings=machine.findings,
        closed=closed,
        iop_benches=ps.pl.iops,
        refit=ps.refit,
    )
    if wall_clock:
        machine.follow_wall_clock()
        # Its thread may be in a device written in Python, which must not be while the interpreter is torn down.
        weakref.finalize(board, machine.stop_wall_clock)
    return board
