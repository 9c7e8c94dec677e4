"""The guest's files: Python and numpy, kept in the cache; and one run's wheel, tests and command, added behind them."""

from __future__ import annotations

import importlib.metadata
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from .cache import HERE, cache, key, made, remove
from .downloads import userland
from .newc import Archive

#: Pure Python of .venv that the guest's tests import: pytest's, and what the command line needs.
_TOOLS = (
    *("pytest", "pytest-timeout", "pluggy", "iniconfig", "packaging", "pygments"),
    *("typer", "click", "rich", "markdown-it-py", "mdurl", "shellingham", "annotated-doc", "typing-extensions"),
)
_FOLDERS = ("dev", "proc", "sys", "tmp", "run", "root", "sbin", "mnt")
#: Where a job's packages are; the folder of its tests beside them.
SITE = "job/site"


def base() -> Path:
    """An archive with userland, init and the tools, compiled: importing without .pyc takes seconds under emulation."""
    tree = userland()
    init = (HERE / "guest-init").read_bytes()
    versions = [(name, importlib.metadata.version(name)) for name in _TOOLS]

    def write(path: Path) -> None:
        staged = path.with_name(f"{path.name}.tree")
        try:
            shutil.copytree(tree, staged, symlinks=True)
            for name in _TOOLS:
                _install(name, staged / "usr/lib/python3/dist-packages")
            compile_all(staged / "usr/lib", "/usr/lib")
            with path.open("wb") as file:
                archive = Archive(file)
                for name in _FOLDERS:
                    archive.folder(name)
                # The kernel opens the console before init mounts anything.
                archive.character_device("dev/console", 5, 1)
                archive.file("init", init, executable=True)
                archive.tree(staged, skip=())
                archive.close()
        finally:
            remove(staged)

    return made(cache() / f"base-{key(tree.name, init, versions, _FOLDERS)}.cpio", write)


def add_job(
    initramfs: Path,
    *,
    site: Path,
    files: Path,
    command: Sequence[str],
    modules: Mapping[str, Path] = MappingProxyType({}),
) -> None:
    """Write the base and a job: packages, files (with `command`'s working directory at their top) and a command.

    `modules` are folders of kernel modules, by release of the kernel (`uname -r`).
    """
    with base().open("rb") as source, initramfs.open("wb") as file:
        shutil.copyfileobj(source, file)
        archive = Archive(file)
        archive.tree(site, SITE, skip=())
        archive.tree(files, "job/files")
        for release, folder in modules.items():
            archive.tree(folder, f"job/modules/{release}")
        archive.file("job/command", f"{shlex.join(command)}\n".encode())
        archive.close()


def compile_all(folder: Path, at: str) -> None:
    """Compile a folder for the guest, which has the same Python and will have it `at` this place.

    Times of files do not survive, so none are compared.
    """
    command = [sys.executable, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", at, str(folder)]
    # Some files of Python's own are not meant to compile.
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


def _install(name: str, into: Path) -> None:
    """Copy a package as it was installed, without scripts and compiled files."""
    distribution = importlib.metadata.distribution(name)
    for file in distribution.files or ():
        if file.parts[0] == ".." or "__pycache__" in file.parts or file.suffix == ".pyc":
            continue
        if file.suffix == ".so":
            raise ValueError(f"{name} is not pure Python: {file}")
        target = into / str(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(distribution.locate_file(file), target)  # type: ignore[arg-type]
