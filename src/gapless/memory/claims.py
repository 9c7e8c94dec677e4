"""Programs that share one carve-out do not collide: a registry of who has which memory and which engine.

It is kept under /run/gapless, where it is gone after a boot, like all that it tells about. docs/sharing.md
says what holds and what does not.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import BadArgumentError, DmaStateError, GaplessError, RegistryError, WaitTimeoutError
from ..units import format_address
from .claim_session import Session, removable, taken
from .claims_file import Claim, ClaimsFile, EngineClaim, Holdings
from .owner import Owner, this_process

__all__ = ["Claim", "Claims", "EngineClaim", "Session"]


class Claims:
    """What this program has of the memory and engines that it shares with others.

    Args:
        root: where /run and /proc are.
        stop_engine: called with each engine that a dead program had, before anything of that program is
            given out again. It stops the engine, so that no transfer is under way any more, or raises; then
            all memory of the dead program stays taken. It has to see for itself that the registers are there
            (a PL without a design answers to nothing). It runs inside a session and must not begin one.
            The board may set it later (the attribute); while it is None no engine can be stopped.
        timeout: seconds to wait for other programs, which hold the lock for milliseconds.
        owner: who we are; by default this process.

    Each instance is an owner of its own, so that two boards opened by one program do not collide either. After
    fork() the child owns nothing: it neither has nor releases what the parent has.
    """

    def __init__(
        self,
        root: Path = Path("/"),
        *,
        stop_engine: Callable[[EngineClaim], None] | None = None,
        timeout: float = 5.0,
        owner: Owner | None = None,
    ) -> None:
        self.stop_engine, self.timeout = stop_engine, timeout
        self._proc, self._file = root / "proc", ClaimsFile(root / "run/gapless")
        self._owner = owner
        self._holder: int | None = None  # the thread that has a session
        # Not a count: a program that replaced itself (exec) has its pid and start time still, but not its memory.
        self._instance = int.from_bytes(os.urandom(6), "little")
        self._start_afresh()
        _everyone.add(self)

    def __repr__(self) -> str:
        return f"<Claims in {self._file.directory}: {len(self._mine.ranges)} ranges, {len(self._mine.engines)} engines>"

    @property
    def owner(self) -> Owner:
        """Who we are to others."""
        if self._owner is None:
            self._owner = this_process(self._proc, self._instance)
        return self._owner

    @contextmanager
    def session(self, timeout: float | None = None) -> Iterator[Session]:
        """Keep all other programs out, take back what the dead had, and claim.

        What was added or removed counts when the block ends, and not at all when it ends with an exception.

        Raises:
            WaitTimeoutError: another program or thread holds the registry; the message says which.
            AccessDeniedError: it is not this user's to write.
            RegistryError: it is damaged, or somebody removed it while programs run.
        """
        timeout = self.timeout if timeout is None else timeout
        if self._holder == threading.get_ident():
            raise BadArgumentError("this thread has a session of this registry already: end it first")
        turn = self._turn
        if not turn.acquire(timeout=timeout):
            raise WaitTimeoutError(f"waited {timeout:g} s for another thread of this program, which has the registry")
        self._holder = threading.get_ident()
        try:
            with self._file.locked(self.owner, timeout), self._changing() as session:
                yield session
        finally:
            self._holder = None
            turn.release()
        with suppress(GaplessError):  # what was released just now; it stays in the queue when that fails
            self._settle_now()

    def release(self, base: int, nbytes: int) -> None:
        """Give back a range that was added; nothing happens when it is not ours.

        The garbage collector may call this anywhere, in the middle of a session of the same thread too: then
        it takes effect at the end of the session.
        """
        # In a session, of whatever thread, it may be there without being in the file yet.
        if (base, nbytes) in self._mine.ranges or self._holder is not None:
            self._released.append((base, nbytes))
            self._settle_now()

    def take_engine(self, kind: str, base: int, name: str) -> None:
        """Have an engine for oneself: its ``kind`` ("axi-dma", "zdma", "iop") and the ``base`` of its registers.

        TakenError says which program has it. Taking it again is nothing.
        """
        with self.session() as session:
            for engine, why in session.engines:
                if engine.base == base:
                    raise taken(f"{name} ({kind} at {format_address(base)})", engine.owner, engine.since, why)
            session.draft.engines.setdefault(base, EngineClaim(kind, base, name, time.time(), self.owner))

    def release_engine(self, base: int) -> None:
        """Let others have the engine; it must have stopped. Nothing happens when it is not ours."""
        if base in self._mine.engines:
            with self.session() as session:
                session.draft.engines.pop(base, None)

    def close(self) -> None:
        """Give everything back. Called at exit, too.

        Engines that were not released are stopped first. DmaStateError when that fails: then what we have
        stays taken, until another program stops the engine after our end.
        """
        if not self._mine:
            return
        with self.session() as session:
            failed = self._retire(session.draft)
        if failed:
            raise DmaStateError(f"memory stays taken: {'; '.join(failed.values())}", address=next(iter(failed)))

    def _start_afresh(self) -> None:
        self._turn = threading.Lock()
        self._holder = None
        self._mine = Holdings()  # as it is in the file
        self._released: deque[tuple[int, int]] = deque()  # and not yet taken out of it

    def _after_fork(self) -> None:
        self._owner = None
        self._start_afresh()
        self._file.forget_lock()

    def _settle_now(self) -> None:
        # Never waits for the turn: whoever has it looks at the queue again after giving it back, and it may be
        # this very thread.
        while self._released and self._turn.acquire(blocking=False):
            try:
                with self._file.locked(self.owner, self.timeout), self._changing():
                    pass
            finally:
                self._turn.release()

    @contextmanager
    def _changing(self) -> Iterator[Session]:
        """Read the file, reap, and write it again when something changed."""
        everybody = self._file.read()
        stored = everybody.pop(self.owner, Holdings())
        if stored != self._mine:
            raise RegistryError(
                f"{self._file.path} was changed or removed while programs run: what this program has is not in it "
                "any more, and may be somebody else's by now. Stop all programs that use gapless"
            )
        dead, kept = self._reap(everybody)
        if dead:
            self._file.write({**everybody, self.owner: stored})
        session, pid = Session(self.owner, everybody, kept, stored.copy(), self._released), os.getpid()
        try:
            yield session
        except BaseException:
            session.abandon(stored.copy())
            raise
        finally:
            if os.getpid() == pid:  # a child forked in the session has no part in it
                settled = session.settle()
                try:
                    if session.draft != stored:
                        self._file.write({**everybody, self.owner: session.draft})
                except BaseException:
                    self._released.extendleft(reversed(settled))
                    raise
                self._mine = session.draft

    def _reap(self, everybody: dict[Owner, Holdings]) -> tuple[bool, dict[Owner, str]]:
        """Take back what the dead had: whether there was any, and whose is kept and why."""
        kept: dict[Owner, str] = {}
        changed = False
        for owner in [owner for owner in everybody if not owner.lives(self._proc, self.owner)]:
            before = everybody[owner].copy()
            if failed := self._retire(everybody[owner]):
                kept[owner] = f"it ended without stopping its engines: {'; '.join(failed.values())}"
            else:
                del everybody[owner]
            changed = changed or everybody.get(owner) != before
        return changed, kept

    def _retire(self, holdings: Holdings) -> dict[int, str]:
        """Stop the engines; then, and only when all have stopped, drop the ranges. Why not, by register base."""
        failed: dict[int, str] = {}
        for engine in list(holdings.engines.values()):
            what = f"{engine.name} ({engine.kind} at {format_address(engine.base)})"
            if self.stop_engine is None:
                failed[engine.base] = f"{what} cannot be stopped by a program that has not opened its board"
                continue
            try:
                self.stop_engine(engine)
            except Exception as error:  # whatever it is: the engine may be running
                failed[engine.base] = f"{what} could not be stopped: {error}"
            else:
                del holdings.engines[engine.base]
        if not failed:
            for claim in holdings.ranges.values():
                if claim.path is not None and removable(claim.path):
                    with suppress(OSError):  # it keeps its pages then, which is a loss and no danger
                        os.unlink(claim.path)
            holdings.ranges.clear()
        return failed


_everyone: weakref.WeakSet[Claims] = weakref.WeakSet()


def _in_child() -> None:
    for claims in list(_everyone):
        claims._after_fork()


os.register_at_fork(after_in_child=_in_child)


@atexit.register
def _leave() -> None:
    for claims in list(_everyone):
        with suppress(GaplessError):  # what is left is a dead owner's, and taken back as such
            claims.close()
