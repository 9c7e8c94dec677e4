"""A small kernel from Debian's source with what Debian's own kernels leave out: dma-heaps, UIO, an open /dev/mem."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from .cache import HERE, cache, key, made
from .downloads import kernel_source

#: Its column in the table.
BUILT = "6.12-built"
_ARGUMENTS = "uio_pdrv_genirq.of_id=generic-uio cma=256M"


class KernelBuildError(Exception):
    """The kernel did not build: has the compiler's own words."""


def own_kernel() -> Path:
    """The folder with the built image; minutes the first time, kept by source and configuration."""
    debian = kernel_source()
    (archive,) = debian.glob("usr/src/linux-source-*.tar.*")
    version = (debian / "version").read_text()
    fragment = HERE / "kernel.config"

    def build(into: Path) -> None:
        print(f"== kernel-test: building {BUILT} from {archive.name}: some minutes, once", flush=True)
        with tempfile.TemporaryDirectory(dir=cache(), prefix=".kernel-") as scratch:
            subprocess.run(["tar", "-C", scratch, "-xf", archive], check=True)
            (source,) = Path(scratch).iterdir()
            output = Path(scratch) / "output"
            make = ["make", "-s", f"O={output}", "ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-"]
            _run([*make, f"KCONFIG_ALLCONFIG={fragment}", "allnoconfig"], source)
            _check(output / ".config", fragment)
            _run([*make, f"-j{os.cpu_count()}", "Image"], source)
            into.mkdir()
            (output / "arch/arm64/boot/Image").replace(into / "Image")
        (into / "package").write_text(f"linux-source-6.12 {version} with tests/kernel/kernel.config\n")
        (into / "arguments").write_text(_ARGUMENTS)

    return made(cache() / f"linux-{BUILT}-{key(version, fragment.read_text(), _ARGUMENTS)}", build)


def _check(configured: Path, fragment: Path) -> None:
    """An option whose dependencies are missing is dropped without a word: name it."""
    have = set(configured.read_text().splitlines())
    wanted = [line for line in fragment.read_text().splitlines() if line.startswith("CONFIG_")]
    dropped = [line for line in wanted if line not in have and not line.endswith("=n")]
    dropped += [line for line in wanted if line.endswith("=n") and line.replace("=n", "=y") in have]
    if dropped:
        raise KernelBuildError(f"the kernel's configuration lost {', '.join(dropped)}")


def _run(command: list[str], cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise KernelBuildError(f"{command[-1]}: {done.stderr[-4000:]}")
