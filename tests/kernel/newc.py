"""The archive format of an initramfs (cpio "newc"; Linux, Documentation/driver-api/early-userspace/buffer-format.rst).

Written here, because an archive of a file tree made by others than root needs root's ownership and device nodes.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO


class Archive:
    """Files for the kernel to unpack. Several archives, one after the other in a file, are unpacked in turn."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._inode = 0
        self._folders = {""}

    def tree(self, source: Path, at: str = "", *, skip: tuple[str, ...] = ("__pycache__",)) -> None:
        """Add what is below a folder; names in `skip` are left out wherever they are."""
        for path in sorted(source.rglob("*")):
            relative = path.relative_to(source)
            if not set(relative.parts) & set(skip):
                self._add_path(path, f"{at}/{relative}".lstrip("/"))

    def _add_path(self, path: Path, name: str) -> None:
        if path.is_symlink():
            self._entry(name, stat.S_IFLNK | 0o777, path.readlink().as_posix().encode())
        elif path.is_dir():
            self.folder(name)
        else:
            self.file(name, path.read_bytes(), executable=bool(path.stat().st_mode & 0o100))

    def folder(self, name: str) -> None:
        """Add a folder, and those it is in; one that was added is left alone."""
        parts = name.split("/")
        for depth in range(1, len(parts) + 1):
            partial = "/".join(parts[:depth])
            if partial not in self._folders:
                self._folders.add(partial)
                self._entry(partial, stat.S_IFDIR | 0o755)

    def file(self, name: str, content: bytes, *, executable: bool = False) -> None:
        """Add a file."""
        self.folder(name.rpartition("/")[0])
        self._entry(name, stat.S_IFREG | (0o755 if executable else 0o644), content)

    def character_device(self, name: str, major: int, minor: int) -> None:
        """Add a device node."""
        self._entry(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def close(self) -> None:
        """Write the trailer; the file stays open."""
        self._entry("TRAILER!!!", 0)
        self._pad(512)

    def _entry(self, name: str, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        self._inode += 1
        raw = name.encode() + b"\0"
        # inode, mode, uid, gid, links, mtime, size, major, minor, rmajor, rminor, length of the name, checksum
        fields = (self._inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(raw), 0)
        self._file.write(b"070701" + b"".join(b"%08X" % field for field in fields) + raw)
        self._pad(4)
        self._file.write(content)
        self._pad(4)

    def _pad(self, boundary: int) -> None:
        self._file.write(bytes(-self._file.tell() % boundary))
