"""Where downloads and what is made of them are kept: outside the clone, so that the next clone has them already."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build/kernel-test"


def cache() -> Path:
    """The folder of everything that is not made from this clone's sources."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("GAPLESS_CACHE") or Path(base) / "gapless") / "kernel-test"


def key(*recipe: object) -> str:
    """A short name for a recipe: another recipe makes another folder, so none is ever out of date."""
    return hashlib.sha256(repr(recipe).encode()).hexdigest()[:10]


def made(path: Path, make: Callable[[Path], None]) -> Path:
    """Return `path`, made by `make(temporary)` if it is not there: it appears whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return path
    with alone(path):
        if path.exists():  # by another run, while this one waited
            return path
        temporary = path.with_name(f".{path.name}.part")
        print(f"== kernel-test: fetching or making {path.name}", flush=True)
        remove(temporary)  # of a run that was killed: the lock says that nobody writes it now
        try:
            make(temporary)
            temporary.replace(path)
        finally:
            remove(temporary)
    return path


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Let other runs that want the same path wait until the block is left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
