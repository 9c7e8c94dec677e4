"""Files of huge pages: what they hold outlives the program that made them, until the registry lets it go."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..._native import allocate_pages, give_back_pages, mount_hugetlbfs
from ..claim_session import FILE_PREFIX

if TYPE_CHECKING:
    from ..claims import Claims, Session


class HugeFile:
    """A file of pages of ``page`` bytes, locked while we live. Offsets in bytes."""

    def __init__(self, directory: Path, page: int) -> None:
        self.path, self.page = directory / f"{FILE_PREFIX}-{os.getpid()}-{secrets.token_hex(4)}", page
        self._process = os.getpid()
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._end = 0

    def grow(self, count: int) -> list[int]:
        """Take ``count`` more pages, or as many as there are: their offsets."""
        first = self._end
        for _ in range(count):  # one by one: a call that fails half-way does not say how many it took
            try:
                allocate_pages(self.descriptor, self._end, self.page)
            except OSError as error:
                if error.errno not in {errno.ENOSPC, errno.ENOMEM}:
                    raise
                break
            self._end += self.page
        return list(range(first, self._end, self.page))

    def keep(self, offsets: set[int]) -> None:
        """Give back all other pages."""
        for offset in range(0, self._end, self.page):
            if offset not in offsets:
                give_back_pages(self.descriptor, offset, self.page)

    def remove(self) -> None:
        """Give back all of it. In a child of the program that made it: let go of it only."""
        if self._process == os.getpid():
            with suppress(FileNotFoundError):
                self.path.unlink()
        os.close(self.descriptor)


class HugeFiles:
    """The files of one page size: on a hugetlbfs of ours, which is mounted where it is not.

    Args:
        root: where /run and /proc are.
        page: bytes.
        claims: the registry. A file whose owner died is unlinked by it, once that program's engines have stopped.

    OSError when it cannot be mounted.
    """

    def __init__(self, root: Path, page: int, claims: Claims | None) -> None:
        self.directory = root / f"run/gapless/hugepages-{page // 1024}kB"
        self._page, self._claims = page, claims
        with self._session() as session:
            if not _mounted(root, self.directory):
                self.directory.mkdir(parents=True, exist_ok=True)
                mount_hugetlbfs(str(self.directory), page)
            self._sweep(session)

    def new(self) -> HugeFile:
        """An empty file."""
        with self._session():  # no sweep may see it before it is locked
            return HugeFile(self.directory, self._page)

    def sweep(self) -> None:
        """Give back what the dead had, as far as their engines have stopped."""
        with self._session() as session:
            self._sweep(session)

    def _session(self) -> AbstractContextManager[Session | None]:
        return nullcontext() if self._claims is None else self._claims.session()

    def _sweep(self, session: Session | None) -> None:
        # A session begins with taking back what the dead had. What is left without a claim and without a lock is
        # of a program that died before it could claim, and so before any engine knew of it.
        if session is None:
            return
        claimed = {claim.path for claim in (*session.others, *session.draft.ranges.values())}
        for path in self.directory.glob(f"{FILE_PREFIX}-*"):
            if str(path) in claimed:
                continue
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            except FileNotFoundError:  # freed meanwhile
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            except BlockingIOError:
                pass
            finally:
                os.close(descriptor)


def _mounted(root: Path, directory: Path) -> bool:
    lines = (root / "proc/self/mounts").read_text().splitlines()
    return any(line.split()[1:3] == [str(directory), "hugetlbfs"] for line in lines)
