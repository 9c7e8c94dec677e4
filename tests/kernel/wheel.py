"""The wheel a board installs, built by the same CMake with a cross compiler: strict, incremental, unpacked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from .cache import BUILD, HERE, ROOT, remove
from .downloads import PYTHON, python_headers, userland
from .initramfs import SITE, compile_all

_SYSCONFIG = "_sysconfigdata__aarch64-linux-gnu"


class BuildError(Exception):
    """The cross build failed: has the compiler's own words."""


def build_wheel() -> Path:
    """Build `build/kernel-test/wheel/gapless-*-linux_aarch64.whl` and return it."""
    wheels = BUILD / "wheel"
    remove(wheels)
    wheels.mkdir(parents=True)
    # The build backend asks Python's own description of the target for the names of things (sysconfig, PEP 3149).
    description = BUILD / "sysconfig"
    description.mkdir(exist_ok=True)
    shutil.copy(userland() / "usr/lib" / PYTHON / f"{_SYSCONFIG}.py", description)
    settings = {
        "build-dir": str(BUILD / "cross"),
        "cmake.define.CMAKE_TOOLCHAIN_FILE": str(HERE / "aarch64.cmake"),
        "cmake.define.GAPLESS_PYTHON_HEADERS": str(python_headers() / "usr/include"),
        "cmake.define.GAPLESS_WERROR": "ON",
    }
    program = "import json, sys, scikit_build_core.build as b; b.build_wheel(sys.argv[1], json.loads(sys.argv[2]))"
    environment = {
        **os.environ,
        "_PYTHON_HOST_PLATFORM": "linux-aarch64",
        "_PYTHON_SYSCONFIGDATA_NAME": _SYSCONFIG,
        "PYTHONPATH": str(description),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        [sys.executable, "-c", program, str(wheels), json.dumps(settings)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    built = list(wheels.glob("gapless-*-cp311-cp311-linux_aarch64.whl"))
    if done.returncode or len(built) != 1:
        raise BuildError(f"the cross build of the wheel failed:\n{done.stdout[-6000:]}")
    return built[0]


def unpack(wheel: Path) -> Path:
    """Install a wheel into `build/kernel-test/site`, compiled, as pip would on the board."""
    site = BUILD / "site"
    remove(site)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    compile_all(site, f"/{SITE}")
    return site
