"""The IOP's programs: what is committed is what the sources give, and fits an IOP. No compiler is needed."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from gapless.iop.firmware import NAMES

REPO = Path(__file__).parents[2]
SOURCES = REPO / "firmware"
PACKAGED, FOR_TESTS = REPO / "src/gapless/iop/firmware", REPO / "tests/board/firmware"
BINARIES = sorted([*PACKAGED.glob("*.bin"), *FOR_TESTS.glob("*.bin")])
MAILBOX, LEAST_STACK = 0xF000, 1024
VECTORS = {"reset": 0x00, "user": 0x08, "interrupt": 0x10, "break": 0x18, "exception": 0x20}
FIRST_INSTRUCTION = 0x50
INTERRUPTED = {"ticks", "talk", "pins"}


def manifest() -> dict[Path, str]:
    lines = (SOURCES / "manifest.txt").read_text().splitlines()
    return {(SOURCES / path).resolve(): digest for digest, path in (line.split() for line in lines)}


def test_binaries_are_those_of_the_sources():
    changed = [
        str(path.relative_to(REPO))
        for path, digest in manifest().items()
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != digest
    ]
    assert not changed, "not as they were built, see docs/firmware.md: run make -C firmware"


def test_manifest_has_every_source_and_every_binary():
    patterns = ("Makefile", "*.c", "*.h", "*.S", "*.ld", "*.py", "test/*.c", "test/*.h")
    sources = {path for pattern in patterns for path in SOURCES.glob(pattern)}
    assert set(manifest()) == sources | set(BINARIES)
    assert {path.stem for path in SOURCES.glob("*.c")} == {path.stem for path in PACKAGED.glob("*.bin")} == set(NAMES)
    assert {path.stem for path in SOURCES.glob("test/*.c")} == {path.stem for path in FOR_TESTS.glob("*.bin")}


@pytest.mark.parametrize("name", NAMES)
def test_the_installed_package_has_the_program(name):
    assert (files("gapless.iop.firmware") / f"{name}.bin").read_bytes() == (PACKAGED / f"{name}.bin").read_bytes()


@pytest.mark.parametrize("path", BINARIES, ids=lambda path: path.stem)
def test_program_has_vectors_and_leaves_room_for_stack_and_mailbox(path):
    size = path.stat().st_size
    assert size % 4 == 0
    assert size <= MAILBOX - LEAST_STACK
    words = np.fromfile(path, dtype="<u4")
    targets = {}
    for name, address in VECTORS.items():
        brai = int(words[address // 4])
        assert brai >> 16 == 0xB808, name  # UG984: brai IMM
        targets[name] = brai & 0xFFFF
        assert FIRST_INSTRUCTION <= targets[name] < size
    assert targets["reset"] == FIRST_INSTRUCTION
    # What nobody expected stays where it is, for the host to see.
    stuck = targets["exception"]
    assert words[stuck // 4] == 0xB800_0000  # bri 0
    assert targets["user"] == targets["break"] == stuck
    assert (targets["interrupt"] == stuck) is (path.stem not in INTERRUPTED)
