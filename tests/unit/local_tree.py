"""What a board's /proc, /sys and /dev have, as files under a directory of a test."""

import os
from pathlib import Path

ZCU111 = ("xlnx,zynqmp-zcu111-revA", "xlnx,zynqmp-zcu111", "xlnx,zynqmp")


def make_tree(root: Path, compatible: tuple[str, ...] = (), model: str = "", iomem: str = "") -> Path:
    """/proc with this process in it, the device tree and iomem; an empty /dev."""
    proc = root / "proc"
    proc.mkdir()
    (root / "dev").mkdir()
    for name in ("self", "sys", "1", str(os.getpid())):
        (proc / name).symlink_to(f"/proc/{name}")
    if compatible:
        tree = proc / "device-tree"
        tree.mkdir()
        (tree / "compatible").write_bytes(b"".join(name.encode() + b"\0" for name in compatible))
        (tree / "model").write_bytes(model.encode() + b"\0")
    (proc / "iomem").write_text(iomem)
    return root


def add_uio(root: Path, number: int, name: str, *maps: tuple[int, int, int]) -> Path:
    """A UIO device with ``maps`` of (addr, size, offset) as sysfs gives them; its /dev entry is a file of zeros."""
    device = root / f"sys/class/uio/uio{number}"
    device.mkdir(parents=True)
    (device / "name").write_text(f"{name}\n")
    for index, (address, size, offset) in enumerate(maps):
        part = device / f"maps/map{index}"
        part.mkdir(parents=True)
        for what, value in (("name", f"{name}@{address:x}"), ("addr", f"0x{address:016x}"), ("size", f"0x{size:016x}")):
            (part / what).write_text(f"{value}\n")
        (part / "offset").write_text(f"0x{offset:x}\n")
    node = root / f"dev/uio{number}"
    node.parent.mkdir(exist_ok=True)
    with node.open("wb") as file:
        file.truncate(0x10_0000)
    return node


def add_mem(root: Path, size: int) -> Path:
    """A /dev/mem of zeros that takes no room."""
    with (root / "dev/mem").open("wb") as file:
        file.truncate(size)
    return root / "dev/mem"
