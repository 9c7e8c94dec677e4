"""The files of a client. None of them is a file of this machine: what is written stays in memory."""

from __future__ import annotations

import posixpath

from ...errors import AccessDeniedError, AllocationError, BadArgumentError
from ...units import MIB, format_size

#: Where a client may write.
_WRITABLE = ("/tmp", "/lib/firmware", "/home/xilinx", "/var/tmp")
_MOST_FILES, _MOST_BYTES, _LONGEST_PATH = 256, 256 * MIB, 1024


class Files:
    """Files by their absolute path, in folders that a client may write to."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def read(self, path: str) -> bytes | None:
        """The contents; None when there is no such file."""
        return self._files.get(checked(path))

    def exists(self, path: str) -> bool:
        """Whether there is a file or a folder of that name."""
        return checked(path) in (*_WRITABLE, *self._files)

    def write(self, path: str, data: bytes) -> None:
        """Keep ``data``. AccessDeniedError elsewhere than in the folders, AllocationError when it is too much."""
        path = checked(path)
        if not any(path.startswith(folder + "/") for folder in _WRITABLE):
            raise AccessDeniedError(f"{path}: a client writes below {', '.join(_WRITABLE)}, in memory of its own")
        others = sum(len(kept) for name, kept in self._files.items() if name != path)
        self.check(others + len(data))
        if path not in self._files and len(self._files) >= _MOST_FILES:
            raise AllocationError(f"{path}: this client has {_MOST_FILES} files, which is the most")
        self._files[path] = data

    def remove(self, path: str) -> None:
        """Forget a file, if it is there."""
        self._files.pop(checked(path), None)

    def take_over(self, other: Files) -> None:
        """Have those of another client, too."""
        self._files = {**other._files, **self._files}

    @staticmethod
    def check(nbytes: int) -> None:
        """AllocationError when this is more than a client may have."""
        if nbytes > _MOST_BYTES:
            raise AllocationError(f"{format_size(nbytes)} of files: a client may have {format_size(_MOST_BYTES)}")


def checked(path: str) -> str:
    """``path`` without detours; BadArgumentError when it is none from the root on."""
    if not path.startswith("/") or "\0" in path or len(path) > _LONGEST_PATH:
        raise BadArgumentError(f"{path[:40]!r} is no path: it begins with / and has at most {_LONGEST_PATH} characters")
    return "/" + posixpath.normpath(path).lstrip("/")
