"""The registry of claims between real processes: competing, killed, forked."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gapless.errors import AddressError, TakenError
from gapless.memory.claims import Claims

PROGRAM = """
import random, sys, time
from pathlib import Path
from gapless.errors import AddressError
from gapless.memory.claims import Claims

root, seed, seconds, rounds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
claims, mine, dice = Claims(root), [], random.Random(seed)
claims.take_engine("zdma", seed, f"engine{seed}")
print("ready", flush=True)
end = time.monotonic() + seconds
while time.monotonic() < end and rounds:
    if mine and dice.random() < 0.4:
        place = mine.pop(dice.randrange(len(mine)))
        for at in range(place[0], sum(place)):  # unmark, then give back
            (root / f"byte{at}").unlink()
        claims.release(*place)
        continue
    place = dice.randrange(40), dice.randrange(1, 5)
    try:
        with claims.session() as session:
            session.add(*place, f"seed {seed}")
    except AddressError:
        continue
    for at in range(place[0], sum(place)):
        with open(root / f"byte{at}", "x") as file:  # fails when somebody else has it
            file.write(str(seed))
    mine.append(place)
    rounds -= 1
print(len(mine), flush=True)
if rounds == 0:
    time.sleep(60)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "proc").symlink_to("/proc")
    return tmp_path


def start(root: Path, seed: int, seconds: float, rounds: int = -1) -> subprocess.Popen[str]:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(root), str(seed), str(seconds), str(rounds)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert program.stdout.readline() == "ready\n"
    return program


def test_competing_programs_never_overlap(root):
    # Each marks every byte it has with a file that must not be there.
    programs = [start(root, seed, 1.5) for seed in range(3)]
    held = [int(program.communicate(timeout=60)[0]) for program in programs]
    assert [program.returncode for program in programs] == [0, 0, 0]
    assert sum(held) > 0
    # Their exits gave all back but for the engines: nobody told them how to stop those.
    stopped = []
    claims = Claims(root, stop_engine=stopped.append)
    with claims.session() as session:
        assert session.others == ()
    assert sorted(engine.base for engine in stopped) == [0, 1, 2]


def test_a_killed_program_gives_back_exactly_what_it_had(root):
    program = start(root, 7, 60, rounds=6)
    bystander = start(root, 8, 60, rounds=3)
    held = int(program.stdout.readline())
    bystander.stdout.readline()
    refuse = True

    def stop(engine):
        assert engine.owner.pid == program.pid
        if refuse:
            raise RuntimeError("it runs on")

    claims = Claims(root, stop_engine=stop)
    try:
        with claims.session() as session:
            its = {(c.base, c.nbytes) for c in session.others if c.owner.pid == program.pid}
            others = {(c.base, c.nbytes) for c in session.others} - its
        assert len(its) == held
        program.kill()
        deadline = time.monotonic() + 20
        while True:  # nobody waits for it: it stays a zombie, and its last thread takes a moment to end
            with claims.session() as session:
                kept = {(c.base, c.nbytes) for c in session.others if c.quarantine}
            if kept:
                break
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert kept == its
        with claims.session() as session:
            assert {(c.base, c.nbytes) for c in session.others} == its | others
            with pytest.raises(TakenError, match="it runs on"):
                session.add(*next(iter(its)), "mine")
        refuse = False
        with claims.session() as session:
            assert {(c.base, c.nbytes) for c in session.others} == others
            for place in its:
                session.add(*place, "mine")
    finally:
        for one in (program, bystander):
            one.kill()
            one.communicate()


def test_killed_at_any_moment_the_file_is_whole(root):
    dice = random.Random(1)
    for seed in range(12):
        program = start(root, seed, 60)
        time.sleep(dice.random() * 0.1)
        program.kill()
        program.communicate()
        claims = Claims(root, stop_engine=lambda engine: None)
        with claims.session() as session:
            assert session.others == ()
        for mark in root.glob("byte*"):
            mark.unlink()


KILLED_WRITING = """
import os, signal, sys
from pathlib import Path
from gapless.memory.claims import Claims

claims = Claims(Path(sys.argv[1]))
with claims.session() as session:
    session.add(0, 10, "first")
replace, fchmod = os.replace, os.fchmod
if sys.argv[2] == "before":  # the new file is there, complete, not in place
    os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
elif sys.argv[2] == "torn":  # half of it is there
    def tear(descriptor, mode):
        os.write(descriptor, b'{"version":1,"own')
        os.kill(os.getpid(), signal.SIGKILL)
    claims._file._open = lambda: os.open(claims._file._lock, os.O_RDWR)
    os.fchmod = tear
with claims.session() as session:
    session.add(100, 10, "second")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("moment", "expected"), [("torn", 1), ("before", 1), ("after", 2)])
def test_killed_while_it_writes(root, moment, expected):
    program = subprocess.run(
        [sys.executable, "-c", KILLED_WRITING, str(root), moment],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert program.returncode == -signal.SIGKILL
    document = json.loads((root / "run/gapless/claims.json").read_text())
    assert len(document["owners"][0]["ranges"]) == expected
    assert (root / "run/gapless/claims.json.new").exists() == (expected == 1)
    claims = Claims(root)
    with claims.session() as session:
        assert session.others == ()
        session.add(0, 200, "all of it")
    claims.close()


def in_child(work) -> None:
    """Run ``work`` in a fork of this process; it fails here when it fails there."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def others(root: Path) -> list[tuple[int, int]]:
    with Claims(root).session() as session:
        return [(claim.base, claim.nbytes) for claim in session.others]


def test_a_child_neither_has_nor_releases_what_its_parent_has(root):
    claims = Claims(root, timeout=1)
    with claims.session() as session:
        session.add(0, 10, "the parent's")
    claims.take_engine("zdma", 5, "gdma0")

    def work():
        claims.release(0, 10)
        claims.release_engine(5)
        claims.close()
        with claims.session() as session:
            assert [claim.owner.pid for claim in session.others] == [os.getppid()]
            with pytest.raises(TakenError):
                session.add(0, 10, "the child's")
            session.add(50, 10, "the child's")
        with pytest.raises(TakenError):
            claims.take_engine("zdma", 5, "gdma0")

    in_child(work)
    assert others(root) == [(0, 10)]  # the child's died with it
    claims.release(0, 10)
    claims.release_engine(5)
    assert others(root) == []


def test_fork_in_a_session(root):
    claims = Claims(root, timeout=0.3)
    with claims.session() as session:
        session.add(0, 10, "the parent's")
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            session.add(20, 10, "by the child in its parent's session")
    if os.getpid() != parent:
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert others(root) == [(0, 10)]
    with claims.session() as session:
        # The child does not keep the lock, nor has it given it back while we have it.
        def work():
            other = Claims(root, timeout=0.1)
            with pytest.raises(TimeoutError), other.session():
                pass

        in_child(work)
        with pytest.raises(AddressError):
            session.add(0, 10, "again")
    claims.close()
    assert others(root) == []
