"""What each client has on the board, from its first call until it is gone."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from ...board import Board
from ...errors import AllocationError, GaplessError, UnknownHandleError
from ...iop import Pin
from ...memory import Buffer
from ...units import format_size
from .files import Files

#: Things that one client may have at a time.
_MOST = 4096
#: Bytes of the registers of one engine.
_WINDOW = 0x1000


class Window(NamedTuple):
    """Registers that a client maps: physical ``base`` and ``length``, bytes."""

    base: int
    length: int


class Line(NamedTuple):
    """A pin of the PS's GPIO, by its ``number`` among those that lead to the PL."""

    number: int
    direction: str
    pin: Pin


Thing = Window | Buffer | Line
_T = TypeVar("_T", Window, Buffer, Line)
_NAMES = {Window: "registers", Buffer: "buffer", Line: "pin"}


@dataclass
class Client:
    """One connection and what was made through it.

    Attributes:
        address: its ``host:port``.
        connection: the inode of its connection, see :func:`.connections`; None while that is not known.
        held: all that it made, by handle.
        files: its own files.
        bitstream: the name of the bitstream that it is about to load, and whether that is a partial one.
        lost: when its connection was seen to be gone (monotonic seconds).
    """

    address: str
    connection: str | None = None
    held: dict[str, Thing] = field(default_factory=dict)
    files: Files = field(default_factory=Files)
    bitstream: tuple[str, bool] = ("", False)
    lost: float | None = None

    @property
    def host(self) -> str:
        """Where it is."""
        return self.address.rpartition(":")[0]


class Clients:
    """All clients: a handle is only good for who made it.

    A client whose connection is gone keeps what it has for ``keep`` seconds: one from the same host that shows one
    of its handles, which nobody can guess, is that client again.
    """

    def __init__(self, board: Board, keep: float, log: Callable[[str], object]) -> None:
        self._board, self._keep, self._log = board, keep, log
        self._clients: dict[str, Client] = {}
        self._drivers: dict[int, Client] = {}  # by the base of an engine, who wrote its registers last

    def __len__(self) -> int:
        return len(self._clients)

    def of(self, address: str, look: Callable[[], Mapping[str, str] | None]) -> Client:
        """The client at ``host:port``; ``look()`` gives the connections that are open, see :func:`.connections`."""
        client = self._clients.setdefault(address, Client(address))
        if client.connection is None:  # gone by now, maybe; who calls again is not
            client.connection, client.lost = (look() or {}).get(address), None
        return client

    def add(self, client: Client, thing: Thing) -> str:
        """A handle for ``thing``."""
        if len(client.held) >= _MOST:
            raise AllocationError(f"this client has {_MOST} buffers, windows and pins, which is the most: free some")
        handle = secrets.token_hex(8)
        client.held[handle] = thing
        return handle

    def get(self, client: Client, kind: type[_T], handle: str) -> _T:
        """What ``client`` has under ``handle``; UnknownHandleError when that is nothing, or of another kind."""
        if handle not in client.held:
            self._bring_back(client, handle)
        thing = client.held.get(handle)
        if not isinstance(thing, kind):
            raise UnknownHandleError(
                f"no {_NAMES[kind]} {handle[:40]!r}: this client made none of that name, has freed it, or was away "
                "for so long that it was released"
            )
        return thing

    def drop(self, client: Client, handle: str) -> None:
        """Release one thing."""
        self._let_go(client.held.pop(handle))

    def drives(self, client: Client, address: int) -> None:
        """``client`` wrote a register at ``address``: if it is an engine's, the engine is now this client's."""
        bases = [dma.base for dma in self._board.spec.dmas] + [zdma.base for zdma in self._board.spec.zdmas]
        for base in bases:
            if base <= address < base + _WINDOW:
                self._drivers[base] = client

    def forget_engines(self) -> None:
        """Another design is in the PL: the engines that were there are gone."""
        stay = {zdma.base for zdma in self._board.spec.zdmas}
        self._drivers = {base: driver for base, driver in self._drivers.items() if base in stay}

    def stop_engines(self, client: Client) -> list[str]:
        """Stop those that ``client`` wrote to last; their names."""
        mine = {base for base, driver in self._drivers.items() if driver is client}
        self._drivers = {base: driver for base, driver in self._drivers.items() if driver is not client}
        stopped = []
        for dma in self._board.spec.dmas:
            if dma.base in mine:
                self._board.dma(dma.name).reset()
                stopped.append(dma.name)
        for channel in self._board.zdma:
            if channel.spec.base in mine:
                channel.stop()
                stopped.append(channel.spec.name)
        return stopped

    def look_after(self, now: float, open_now: Mapping[str, str]) -> None:
        """Release what clients had whose connection ended more than ``keep`` seconds ago."""
        for address, client in list(self._clients.items()):
            if client.connection is not None and open_now.get(address) == client.connection:
                client.lost = None
            elif client.lost is None:
                client.lost = now
            if client.lost is not None and now - client.lost >= self._keep:
                self._release(client)

    def release_all(self) -> None:
        """Release everything of everybody."""
        for client in list(self._clients.values()):
            self._release(client)

    def _bring_back(self, client: Client, handle: str) -> None:
        for before in list(self._clients.values()):
            if before.lost is not None and before.host == client.host and handle in before.held:
                client.held |= before.held
                client.files.take_over(before.files)
                client.bitstream = before.bitstream
                self._drivers = {base: client if d is before else d for base, d in self._drivers.items()}
                del self._clients[before.address]

    def _release(self, client: Client) -> None:
        del self._clients[client.address]
        try:  # before the memory is given to others
            stopped = self.stop_engines(client)
        except GaplessError as error:
            # Better to lose the memory than to have an engine write into what somebody else gets.
            self._log(f"{client.address} is gone, and what it used stays taken: {error}")
            return
        memory = sum(thing.nbytes for thing in client.held.values() if isinstance(thing, Buffer))
        for thing in client.held.values():
            self._let_go(thing)
        what = [f"{format_size(memory)} of memory"] if memory else []
        what += [f"stopped {', '.join(stopped)}"] if stopped else []
        self._log(f"{client.address} is gone" + (f": released {', '.join(what)}" if what else ""))

    def _let_go(self, thing: Thing) -> None:
        if isinstance(thing, Buffer):
            thing.free()
        elif isinstance(thing, Line) and thing.direction == "out":
            # A soft processor would go on writing to memory that is not its any more.
            with suppress(GaplessError):
                for iop in self._board.spec.iops:
                    if iop.reset_pin == thing.number:
                        thing.pin.set(True)
