"""Which process has something, told apart from a later one with the same process id."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..errors import UnsupportedError

_COMMAND_LENGTH = 80


class _Stat(NamedTuple):
    pid: int
    command: str
    start: int  # clock ticks after boot
    ended: bool  # a zombie: its memory is gone, its parent has not asked for it yet


@dataclass(frozen=True)
class Owner:
    """One user of shared memory.

    Attributes:
        pid: its process id.
        start: when that process began, in clock ticks after boot (proc(5), /proc/PID/stat field 22).
        boot: the boot it began in (/proc/sys/kernel/random/boot_id).
        namespaces: the PID and time namespaces that ``pid`` and ``start`` are to be read in.
        instance: tells the boards that one process opened apart.
        command: for messages: its command line, shortened.
    """

    pid: int
    start: int
    boot: str
    namespaces: str = ""
    instance: int = 0
    command: str = field(default="", compare=False)

    def lives(self, proc: Path, here: Owner) -> bool:
        """Whether its process still runs, as far as ``here`` can tell; where it cannot, it does.

        What cannot be seen counts as living, since a mistake would give its memory to somebody else: a
        process in another PID namespace, and all others where /proc hides them (hidepid).
        """
        if self.boot != here.boot:
            return False
        if self.namespaces != here.namespaces:
            return True
        try:
            stat = _read_stat(proc / str(self.pid) / "stat")
        except (FileNotFoundError, ProcessLookupError):
            return not (proc / "1").exists()  # every PID namespace has a process 1, unless it is hidden
        except (OSError, ValueError, IndexError):
            return True
        return stat.start == self.start and not stat.ended


def this_process(proc: Path, instance: int = 0) -> Owner:
    """The process that asks. UnsupportedError when ``proc`` does not say."""
    try:
        stat = _read_stat(proc / "self/stat")
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
    except (OSError, ValueError, IndexError) as error:
        raise UnsupportedError(
            f"sharing memory with other programs needs {proc}, to know which of them still run: {error}"
        ) from None
    return Owner(stat.pid, stat.start, boot, _namespaces(proc), instance, _command(proc) or stat.command)


def _read_stat(path: Path) -> _Stat:
    # The command stands in parentheses and may itself contain any, and blanks (proc(5)).
    head, _, tail = path.read_bytes().decode(errors="replace").rpartition(")")
    pid, _, command = head.partition(" (")
    fields = tail.split()  # from field 3 on
    state, threads, start = fields[0], int(fields[17]), int(fields[19])
    # A process whose first thread has ended looks like a zombie, too, while its other threads run on.
    return _Stat(int(pid), command, start, state in "XZ" and threads <= 1)


def _namespaces(proc: Path) -> str:
    found = []
    for name in ("pid", "time"):
        try:
            found.append(os.readlink(proc / "self/ns" / name))
        except OSError:  # a kernel without that kind of namespace
            found.append("")
    return " ".join(found).strip()


def _command(proc: Path) -> str:
    try:
        words = (proc / "self/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    line = "".join(char if char.isprintable() else " " for char in " ".join(words).strip())
    return line if len(line) <= _COMMAND_LENGTH else line[: _COMMAND_LENGTH - 3] + "..."
