"""What the tests download: kernels, the guest's userland, headers of its Python, QEMU. Each is fetched once."""

from __future__ import annotations

import lzma
import shutil
from pathlib import Path

from .apt import DownloadError, PrivateApt, host_architecture
from .apt_sources import RELEASE
from .cache import cache, key, made, remove

#: The kernels Debian ships, by the version they begin with.
STOCK = ("6.1", "6.12")
#: Their modules that tests load, by path.
MODULES = ("drivers/gpio/gpio-zynq",)
#: What the guest has: Python as Debian has it, numpy, and the C++ run-time our module links to.
USERLAND = ("busybox-static", "python3-numpy", "libstdc++6")
PYTHON = "python3.11"

_GUEST = PrivateApt("arm64")
#: Neither read by Python at run-time nor imported by our tests; an initramfs is unpacked into memory by one slow core.
_UNUSED = ("usr/share", "usr/include", "usr/sbin", "etc", "var", "usr/lib/aarch64-linux-gnu/gconv", "usr/lib/valgrind")
_UNUSED_PYTHON = ("test", "idlelib", "tkinter", "ensurepip", "lib2to3", "distutils", "pydoc_data", "turtledemo")
_UNUSED_NUMPY = ("tests", "doc", "f2py", "distutils", "include")


def stock_kernel(version: str) -> Path:
    """The image of Debian's kernel of this version, its `modules`, and `package`, which says what it is."""

    def fetch(into: Path) -> None:
        for found, depends in _GUEST.versions("linux-image-arm64"):
            if found.startswith(f"{version}."):
                package = depends.split()[0]
                break
        else:
            raise DownloadError(f"no linux-image-arm64 of Linux {version} in {RELEASE} or its backports")
        unpacked = into.with_name(f".{into.name}.deb")
        remove(unpacked)
        try:
            modules = [f"./lib/modules/*/kernel/{name}.ko*" for name in MODULES]
            _GUEST.download(package, unpacked, only=("./boot/vmlinuz-*", *modules))
            (into / "modules").mkdir(parents=True)
            (image,) = unpacked.glob("boot/vmlinuz-*")
            shutil.move(image, into / "Image")
            for module in unpacked.rglob("*.ko*"):
                _unpack_module(module, into / "modules")
            (into / "package").write_text(f"{package} {found}\n")
        finally:
            remove(unpacked)

    return made(cache() / f"linux-{version}-{key(MODULES)}", fetch)


def _unpack_module(module: Path, into: Path) -> None:
    """Put a module into a folder, as the kernel takes it: later kernels' are compressed."""
    content = module.read_bytes()
    plain = lzma.decompress(content) if module.suffix == ".xz" else content
    (into / f"{module.name.partition('.')[0]}.ko").write_bytes(plain)


def userland() -> Path:
    """A file tree with busybox, Python and numpy for arm64."""

    def fetch(into: Path) -> None:
        _GUEST.closure(USERLAND, into)
        for name in _UNUSED:
            remove(into / name)
        for name in _UNUSED_PYTHON:
            remove(into / "usr/lib" / PYTHON / name)
        for name in _UNUSED_NUMPY:
            for folder in list((into / "usr/lib/python3/dist-packages/numpy").rglob(name)):
                remove(folder)
        # Debian makes these with update-alternatives, a script.
        for library in ("blas/libblas.so.3", "lapack/liblapack.so.3"):
            (into / "usr/lib/aarch64-linux-gnu" / Path(library).name).symlink_to(library)
        (into / "usr/bin/python3").unlink(missing_ok=True)
        (into / "usr/bin/python3").symlink_to(PYTHON)

    return made(cache() / f"userland-{key(USERLAND, _UNUSED, _UNUSED_PYTHON, _UNUSED_NUMPY)}", fetch)


def python_headers() -> Path:
    """`usr/include` of the guest's Python, for the cross compiler."""
    return made(cache() / "python-headers", lambda into: _GUEST.download(f"lib{PYTHON}-dev", into))


def qemu() -> Path:
    """A file tree with QEMU 10 and every library it loads: the host's QEMU may be older, or absent.

    Only QEMU 9 and newer model the alignment faults of Device memory.
    """

    def fetch(into: Path) -> None:
        PrivateApt(host_architecture()).closure(("qemu-system-arm",), into, release=f"{RELEASE}-backports")

    return made(cache() / "qemu", fetch)


def kernel_source() -> Path:
    """A folder with Debian's source of Linux 6.12, an archive, and `version`: for `make kernel-test-full`."""

    def fetch(into: Path) -> None:
        version, _ = _GUEST.versions("linux-source-6.12")[0]
        _GUEST.download(f"linux-source-6.12={version}", into)
        (into / "version").write_text(version)

    return made(cache() / "linux-source-6.12", fetch)
