"""Places where a file cannot grow any more."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Disk:
    """Where to record to, what the ledger then says, what the system says, and how many bytes a file can have."""

    folder: Path
    ended: str
    reason: str
    size: int


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """No file becomes longer than this, also in processes started now: the kernel refuses, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def small_disk(kind: str, folder: Path) -> Iterator[Disk]:
    """``kind``: "tmpfs", or "limit", which is also what it is where nobody lets us mount."""
    mounted = folder / "disk"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(mounted)]
    if (
        kind == "tmpfs"
        and os.geteuid() == 0
        and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    ):
        try:
            yield Disk(mounted, "disk full", "No space left on device", 512 << 10)
        finally:
            subprocess.run(["umount", str(mounted)], check=True)
    else:
        # An odd number: the last sample goes only half into it.
        with file_limit(300_001):
            yield Disk(mounted, "file: File too large", "File too large", 300_001)
