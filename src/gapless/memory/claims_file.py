"""The file that says who has which memory, and the lock around it."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import AccessDeniedError, RegistryError, WaitTimeoutError
from .owner import Owner

_VERSION = 1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.02


@dataclass(frozen=True)
class Claim:
    """A range of physical addresses that an owner has.

    Attributes:
        base, nbytes: the range, in bytes.
        what: what for, as messages say it.
        since: seconds since 1970.
        path: a file to remove when the owner has died (a hugetlbfs file), or None.
        owner: who has it.
        quarantine: why it is not given out although its owner died; empty while that one lives.
    """

    base: int
    nbytes: int
    what: str
    since: float
    path: str | None
    owner: Owner = field(compare=False)
    quarantine: str = ""

    def overlaps(self, base: int, nbytes: int) -> bool:
        """Whether the range from ``base`` on has a byte of it."""
        return self.base < base + nbytes and base < self.base + self.nbytes


@dataclass(frozen=True)
class EngineClaim:
    """An engine that an owner uses: its ``kind`` ("axi-dma", "zdma", "iop"), ``base`` and ``name``."""

    kind: str
    base: int
    name: str
    since: float
    owner: Owner = field(compare=False)


@dataclass
class Holdings:
    """What one owner has: ranges by (base, nbytes), engines by register base."""

    ranges: dict[tuple[int, int], Claim] = field(default_factory=dict)
    engines: dict[int, EngineClaim] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.ranges or self.engines)

    def copy(self) -> Holdings:
        """One that can be changed without changing this."""
        return Holdings(dict(self.ranges), dict(self.engines))


class ClaimsFile:
    """``claims.json`` and ``lock`` in ``directory``, which is made when it is first needed.

    Whoever may write the directory may use it. It is made for its maker alone (mode 0755); one that an
    administrator made with mode 2775 is shared by its group. A sticky directory will not do: in it nobody
    can replace a file of somebody else.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "claims.json"
        self._lock = directory / "lock"
        self._descriptor: int | None = None

    @contextmanager
    def locked(self, owner: Owner, timeout: float) -> Iterator[None]:
        """Keep all others out. WaitTimeoutError says who kept us out for ``timeout`` seconds."""
        descriptor = self._acquire(timeout)
        self._descriptor = descriptor
        try:
            with suppress(OSError):  # a full /run: those who wait do without our name
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"pid {owner.pid} ({owner.command})".encode(errors="replace"), 0)
            yield
        finally:
            if self._descriptor == descriptor:  # not so in a child that was forked meanwhile
                self._descriptor = None
                # Closing would not do: a child that another thread forked may have the descriptor, too.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                os.close(descriptor)

    def forget_lock(self) -> None:
        """After fork(): let go of the descriptor, not of the lock, which is the parent's."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def read(self) -> dict[Owner, Holdings]:
        """What everybody has. RegistryError when the file is anything but what :meth:`write` writes."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise RegistryError(f"{self.path} cannot be read: {error.strerror}") from None
        try:
            return _decode(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise RegistryError(
                f"{self.path} is damaged ({type(error).__name__}: {error}). It says which program has which "
                "memory, so nothing is given out: stop all programs that use gapless, then remove it"
            ) from None

    def write(self, everybody: dict[Owner, Holdings]) -> None:
        """Replace the file as a whole: a reader has the old or the new one, even when we are killed in here."""
        fresh = self.directory / "claims.json.new"
        document = json.dumps(_encode(everybody), separators=(",", ":")).encode()
        try:
            fresh.unlink(missing_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "wb") as file:
                os.fchmod(descriptor, self._mode())
                file.write(document)
            os.replace(fresh, self.path)
        except OSError as error:
            raise RegistryError(f"{self.path} cannot be written: {error.strerror}; nothing was claimed") from None

    def _acquire(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        pause = _FIRST_PAUSE
        while True:
            descriptor = self._open()
            try:
                if self._lock_it(descriptor):
                    return descriptor
                holder = os.pread(descriptor, 200, 0).decode(errors="replace") or "another program"
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
            if time.monotonic() >= deadline:
                raise WaitTimeoutError(
                    f"waited {timeout:g} s for {self._lock}: {holder} has it; it is held for milliseconds as a rule, "
                    "so that program may be stopped"
                )
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _lock_it(self, descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        # The lock is worth nothing on a file that somebody removed: the next one locks a new one.
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(descriptor), os.stat(self._lock))
        return False

    def _open(self) -> int:
        try:
            if not self.directory.is_dir():
                self.directory.parent.mkdir(parents=True, exist_ok=True)
                with suppress(FileExistsError):
                    self.directory.mkdir(mode=0o755)
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except PermissionError:
            raise AccessDeniedError(
                f"{self.directory}: the registry of who has which memory is not this user's to write. Run as root, "
                "or have it shared by a group: 'd /run/gapless 2775 root GROUP' in a file of /etc/tmpfiles.d"
            ) from None
        except OSError as error:
            raise RegistryError(f"{self._lock} cannot be opened: {error.strerror}") from None
        with suppress(PermissionError):  # not ours: whoever made it has done this
            os.fchmod(descriptor, self._mode())
        return descriptor

    def _mode(self) -> int:
        return 0o664 if self.directory.stat().st_mode & stat.S_IWGRP else 0o644


def _encode(everybody: dict[Owner, Holdings]) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "owners": [
            {
                **asdict(owner),
                "ranges": [_fields(claim, _RANGE) for claim in holdings.ranges.values()],
                "engines": [_fields(engine, _ENGINE) for engine in holdings.engines.values()],
            }
            for owner, holdings in everybody.items()
            if holdings
        ],
    }


_OWNER: dict[str, Any] = {"pid": int, "start": int, "boot": str, "namespaces": str, "instance": int, "command": str}
_RANGE: dict[str, Any] = {"base": int, "nbytes": int, "what": str, "since": (int, float), "path": (str, type(None))}
_ENGINE: dict[str, Any] = {"kind": str, "base": int, "name": str, "since": (int, float)}


def _fields(claim: Claim | EngineClaim, names: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(claim, name) for name in names}


def _decode(document: Any) -> dict[Owner, Holdings]:
    if document["version"] != _VERSION:
        raise ValueError(f"version {document['version']!r}, not {_VERSION}")
    everybody: dict[Owner, Holdings] = {}
    for entry in document["owners"]:
        holdings = Holdings()
        owner = Owner(**_checked(entry, _OWNER))
        if everybody.setdefault(owner, holdings) is not holdings:
            raise ValueError(f"pid {owner.pid} is there twice")
        for fields in entry["ranges"]:
            claim = Claim(**_checked(fields, _RANGE), owner=owner)
            holdings.ranges[claim.base, claim.nbytes] = claim
        for fields in entry["engines"]:
            engine = EngineClaim(**_checked(fields, _ENGINE), owner=owner)
            holdings.engines[engine.base] = engine
    return everybody


def _checked(fields: Any, types: dict[str, Any]) -> dict[str, Any]:
    values = {name: fields[name] for name in types}
    for name, value in values.items():
        if not isinstance(value, types[name]) or isinstance(value, bool) or (isinstance(value, int) and value < 0):
            raise ValueError(f"{name} is {value!r}")
    return values
