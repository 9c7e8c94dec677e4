"""The registry of claims: against a plain model, with real processes, and with a /proc that the test writes."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gapless.errors import (
    AccessDeniedError,
    AddressError,
    BadArgumentError,
    DmaStateError,
    RegistryError,
    TakenError,
    UnsupportedError,
    WaitTimeoutError,
)
from gapless.memory.claims import Claims
from gapless.memory.owner import Owner, this_process

BOOT = "f3b0c1de-0000-4000-8000-000000000001"
KIB = 1024


def set_process(root: Path, pid: int, start: int, *, state: str = "S", threads: int = 1, comm: str = "a) b (c") -> None:
    """A process as /proc shows it; the command is one that breaks naive parsers."""
    folder = root / "proc" / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    between = " ".join(["0"] * 16)  # fields 4 to 19
    (folder / "stat").write_text(f"{pid} ({comm}) {state} {between} {threads} 0 {start} 99 88 77\n")


def end_process(root: Path, pid: int) -> None:
    (root / "proc" / str(pid) / "stat").unlink()
    (root / "proc" / str(pid)).rmdir()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with a process 1 and nothing else."""
    set_process(tmp_path, 1, 1)
    return tmp_path


def make_claims(root: Path, pid: int, start: int = 100, *, boot: str = BOOT, namespaces: str = "", **options) -> Claims:
    """The claims of a process of the fake tree."""
    if boot == BOOT and not namespaces:
        set_process(root, pid, start)
    owner = Owner(pid, start, boot, namespaces, 0, f"program{pid}")
    return Claims(root, owner=owner, timeout=0.2, **options)


def ranges(claims: Claims) -> list[tuple[int, int]]:
    with claims.session() as session:
        return sorted((claim.base, claim.nbytes) for claim in session.others)


def add(claims: Claims, base: int, nbytes: int, what: str = "a buffer", **options: object) -> None:
    with claims.session() as session:
        session.add(base, nbytes, what, **options)


def test_a_range_of_another_program_is_refused_and_the_error_says_who_has_it(root):
    first, second = make_claims(root, 10), make_claims(root, 11)
    add(first, 0x8_0000_0000, 64 * KIB, "ps-carveout")
    before = time.time()
    for base, nbytes in ((0x8_0000_0000, 1), (0x8_0000_FFFF, 4), (0x7_FFFF_F000, 0x1001), (0, 1 << 60)):
        with pytest.raises(TakenError, match=r"pid 10 \(program10\) has it since 20\d\d-") as caught:
            add(second, base, nbytes)
        assert (caught.value.pid, caught.value.command) == (10, "program10")
        assert before - 60 < caught.value.since <= before
        assert "64 KiB at 0x8_0000_0000, ps-carveout" in str(caught.value)
    for base, nbytes in ((0x8_0001_0000, 4), (0x7_FFFF_F000, 0x1000)):
        add(second, base, nbytes)
    assert ranges(second) == [(0x8_0000_0000, 64 * KIB)]
    assert ranges(first) == [(0x7_FFFF_F000, 0x1000), (0x8_0001_0000, 4)]
    first.release(0x8_0000_0000, 64 * KIB)
    assert ranges(second) == []


def test_ones_own_range_is_no_ones_twice(root):
    claims = make_claims(root, 10)
    add(claims, 0, 4096)
    with pytest.raises(AddressError, match="claimed already") as caught:
        add(claims, 4095, 1)
    assert not isinstance(caught.value, TakenError)
    with claims.session() as session:
        session.remove(0, 4096)
        with pytest.raises(AddressError, match="not claimed"):
            session.remove(0, 4096)
        session.add(1, 4095, "again")
    for base, nbytes in ((0, 0), (-1, 5)):
        with pytest.raises(BadArgumentError):
            add(claims, base, nbytes)


def test_two_boards_of_one_program_are_two_owners():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "proc").symlink_to("/proc")
        one, two = Claims(root), Claims(root)
        add(one, 0, 4096)
        with pytest.raises(TakenError, match=f"pid {os.getpid()} "):
            add(two, 0, 4096)
        one.close()
        add(two, 0, 4096)
        two.close()


def test_a_session_that_fails_adds_nothing_and_what_was_released_in_it_stays_so(root):
    claims, other = make_claims(root, 10), make_claims(root, 11)
    add(claims, 0, 10)
    add(other, 50, 10)

    def try_it():
        with claims.session() as session:
            session.add(100, 10, "lost")
            claims.release(0, 10)
            session.add(0, 5, "lost, too")
            session.add(50, 1, "what the other one has")

    with pytest.raises(TakenError):
        try_it()
    assert ranges(other) == []
    add(claims, 0, 10)
    assert ranges(claims) == [(50, 10)]


def test_release_in_a_session_of_the_same_thread_does_not_wait(root):
    claims, other = make_claims(root, 10), make_claims(root, 11)
    add(claims, 0, 10)
    with claims.session() as session:
        claims.release(0, 10)
        claims.release(777, 1)  # never added
        session.add(5, 20, "where it was")
        with pytest.raises(BadArgumentError, match="session of this registry already"), claims.session():
            pass
    assert ranges(other) == [(5, 20)]


def test_release_by_the_collector_in_the_middle_of_a_session(root):
    claims, other = make_claims(root, 10), make_claims(root, 11)

    class Buffer:
        def __del__(self):
            claims.release(0, 10)

    add(claims, 0, 10)
    buffer = Buffer()
    buffer.itself = buffer
    del buffer
    with claims.session() as session:
        gc.collect()
        session.add(0, 10, "the next one")
    assert ranges(other) == [(0, 10)]  # the new one, not the released one


def test_release_while_another_thread_has_a_session(root):
    claims, other = make_claims(root, 10), make_claims(root, 11)
    add(claims, 0, 10)
    started, done = threading.Event(), threading.Event()

    def hold():
        with claims.session():
            started.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    started.wait(10)
    claims.release(0, 10)  # returns at once
    with pytest.raises(WaitTimeoutError, match="another thread"), claims.session(0.05):
        pass
    done.set()
    thread.join()
    assert ranges(other) == []


def test_the_lock_says_who_has_it(root):
    first, second = make_claims(root, 10), make_claims(root, 11)
    with first.session(), pytest.raises(WaitTimeoutError, match=r"0\.2 s for .*pid 10 \(program10\) has it"):
        add(second, 0, 1)
    add(second, 0, 1)


def test_the_dead_are_taken_back_after_their_engines_were_stopped(root):
    stopped, left = [], root / "gapless-10"

    def stop(engine):
        assert left.exists()
        stopped.append((engine.kind, engine.base, engine.name, engine.owner.pid))

    first, second = make_claims(root, 10), make_claims(root, 11, stop_engine=stop)
    left.touch()
    add(first, 0, 10, path=left)
    first.take_engine("axi-dma", 0xA000_0000, "dma_dac0")
    first.take_engine("zdma", 0xFD50_0000, "gdma0")
    assert ranges(second) == [(0, 10)]
    assert stopped == []
    end_process(root, 10)
    add(second, 5, 10)
    assert stopped == [("axi-dma", 0xA000_0000, "dma_dac0", 10), ("zdma", 0xFD50_0000, "gdma0", 10)]
    assert not left.exists()


def test_an_engine_that_cannot_be_stopped_keeps_all_memory_of_the_dead(root):
    refuse = True

    def stop(engine):
        if refuse and engine.kind == "axi-dma":
            raise TimeoutError("no halt after 1 s")

    first, second = make_claims(root, 10), make_claims(root, 11, stop_engine=stop)
    left = root / "gapless-10"
    left.touch()
    add(first, 0, 10, path=left)
    first.take_engine("axi-dma", 0xA000_0000, "dma_dac0")
    first.take_engine("zdma", 0xFD50_0000, "gdma0")
    end_process(root, 10)
    for _ in range(2):
        with pytest.raises(
            TakenError, match=r"kept back: pid 10 .*dma_dac0 \(axi-dma at 0xA000_0000\).*no halt"
        ) as caught:
            add(second, 0, 1)
        assert caught.value.pid == 10
        assert "gdma0" not in str(caught.value)
        with pytest.raises(TakenError, match="no halt"):
            second.take_engine("axi-dma", 0xA000_0000, "dma_dac0")
    with second.session() as session:
        assert "no halt" in session.others[0].quarantine
    assert left.exists()
    second.take_engine("zdma", 0xFD50_0000, "gdma0")
    refuse = False
    add(second, 0, 10)
    second.take_engine("axi-dma", 0xA000_0000, "dma_dac0")
    assert not left.exists()


def test_without_a_board_no_engine_is_taken_for_stopped(root):
    first, second = make_claims(root, 10), make_claims(root, 11)
    add(first, 0, 10)
    first.take_engine("zdma", 0xFD50_0000, "gdma0")
    end_process(root, 10)
    with pytest.raises(TakenError, match="has not opened its board"):
        add(second, 0, 10)


def test_a_taken_engine(root):
    first, second = make_claims(root, 10), make_claims(root, 11)
    first.take_engine("zdma", 0xFD50_0000, "gdma0")
    first.take_engine("zdma", 0xFD50_0000, "gdma0")
    with pytest.raises(TakenError, match=r"gdma0 \(zdma at 0xFD50_0000\) is taken: pid 10 \(program10\) has it since"):
        second.take_engine("zdma", 0xFD50_0000, "gdma0")
    second.release_engine(0xFD50_0000)  # not ours
    with pytest.raises(TakenError):
        second.take_engine("zdma", 0xFD50_0000, "gdma0")
    first.release_engine(0xFD50_0000)
    second.take_engine("zdma", 0xFD50_0000, "gdma0")


def test_close_stops_what_was_not_released(root):
    stopped = []
    claims, other = make_claims(root, 10, stop_engine=stopped.append), make_claims(root, 11)
    add(claims, 0, 10)
    claims.take_engine("zdma", 0xFD50_0000, "gdma0")
    claims.close()
    assert [engine.name for engine in stopped] == ["gdma0"]
    add(other, 0, 10)
    claims.close()

    failing = make_claims(root, 12)
    add(failing, 20, 10)
    failing.take_engine("zdma", 0xFD51_0000, "gdma1")
    with pytest.raises(DmaStateError, match="memory stays taken: gdma1") as caught:
        failing.close()
    assert caught.value.address == 0xFD51_0000
    assert (20, 10) in ranges(other)


def test_claims_that_were_never_used_leave_no_trace(root):
    make_claims(root, 10).close()
    assert not (root / "run").exists()


@pytest.mark.parametrize(
    ("state", "threads", "start", "dead"),
    [
        ("S", 1, 100, False),
        ("D", 1, 100, False),
        ("S", 1, 101, True),  # the pid was given to a new process
        ("Z", 1, 100, True),  # killed, not waited for
        ("Z", 3, 100, False),  # the first thread ended, others run
        ("X", 0, 100, True),
    ],
)
def test_who_is_dead(root, state, threads, start, dead):
    first, second = make_claims(root, 10), make_claims(root, 11)
    add(first, 0, 10)
    set_process(root, 10, start, state=state, threads=threads)
    assert ranges(second) == ([] if dead else [(0, 10)])


def test_after_a_boot_all_are_dead(root):
    add(make_claims(root, 10, boot="another"), 0, 10)
    set_process(root, 10, 100)
    assert ranges(make_claims(root, 11)) == []


def test_what_cannot_be_seen_lives(root):
    hidden, foreign = make_claims(root, 10), make_claims(root, 12, namespaces="pid:[2] time:[3]")
    add(hidden, 0, 10)
    add(foreign, 100, 10)
    end_process(root, 10)
    end_process(root, 1)  # hidepid=2: others' processes are not in /proc, not even the first
    assert ranges(make_claims(root, 11)) == [(0, 10), (100, 10)]
    set_process(root, 1, 1)
    assert ranges(make_claims(root, 11)) == [(100, 10)]


def test_this_process_is_read_from_proc():
    owner = this_process(Path("/proc"))
    assert (owner.pid, owner.boot) == (os.getpid(), Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    # start: another reader of the same field, ps, gives seconds; that of a child is not before ours
    code = "import sys; from gapless.memory.owner import *; print(this_process(Path('/proc')).start)"
    child = int(
        subprocess.check_output([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": ":".join(sys.path)})
    )
    assert 0 < owner.start <= child
    age = float(Path("/proc/uptime").read_text().split()[0]) - child / os.sysconf("SC_CLK_TCK")
    assert -1 < age < 60
    assert "pytest" in owner.command


def test_no_proc(tmp_path):
    with pytest.raises(UnsupportedError, match="proc"), Claims(tmp_path).session():
        pass


DAMAGE = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"{}",
    b'{"version":2,"owners":[]}',
    b'{"version":1,"owners":[{}]}',
    b'{"version":1,"owners":3}',
    b"\xff\xfe",
    b"[" * 100_000,
]


@pytest.mark.parametrize("text", DAMAGE)
def test_a_damaged_file_is_refused(root, text):
    claims = make_claims(root, 10)
    add(claims, 0, 10)
    path = root / "run/gapless/claims.json"
    path.write_bytes(text)
    with pytest.raises(
        RegistryError, match=r"claims\.json is damaged .*stop all programs that use gapless, then remove"
    ):
        add(make_claims(root, 11), 50, 10)
    assert path.read_bytes() == text


def test_every_wrong_field_is_refused(root):
    claims = make_claims(root, 10)
    add(claims, 0, 10)
    claims.take_engine("zdma", 1, "gdma0")
    path = root / "run/gapless/claims.json"
    good = json.loads(path.read_text())

    def spoil(part):
        for name in part(good):
            for wrong in (None, -5, "x" if not isinstance(part(good)[name], str) else 7, True, [1]):
                if wrong is None and name == "path":
                    continue
                document = json.loads(json.dumps(good))
                part(document)[name] = wrong
                path.write_text(json.dumps(document))
                if name == "path" and wrong == "x":
                    continue
                with pytest.raises(RegistryError, match="damaged"):
                    ranges(make_claims(root, 11))

    spoil(lambda document: document["owners"][0])
    spoil(lambda document: document["owners"][0]["ranges"][0])
    spoil(lambda document: document["owners"][0]["engines"][0])


def test_every_truncation_is_refused(root):
    claims, other = make_claims(root, 10), make_claims(root, 11)
    add(claims, 0, 10)
    path = root / "run/gapless/claims.json"
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(RegistryError, match="damaged"):
            ranges(other)


def test_a_registry_that_was_removed_is_noticed_by_who_was_in_it(root):
    claims = make_claims(root, 10)
    add(claims, 0, 10)
    (root / "run/gapless/claims.json").unlink()
    with pytest.raises(RegistryError, match="changed or removed while programs run"):
        add(claims, 100, 10)


def test_a_lock_file_that_was_removed_is_no_lock(root):
    first, second = make_claims(root, 10), make_claims(root, 11)
    add(first, 0, 1)
    with first.session():
        fresh = root / "run/gapless/lock"
        fresh.unlink()
        with second.session() as session:  # a new file: this is what removing it means
            assert session.others
    with second.session(), pytest.raises(WaitTimeoutError):
        ranges(first)


def test_files_of_the_dead_are_ours_or_not_removed(root):
    claims, other = make_claims(root, 10), make_claims(root, 11)
    victim = root / "precious"
    victim.touch()
    for path in (victim, "gapless-relative"):
        with pytest.raises(BadArgumentError, match="begins with gapless"):
            add(claims, 0, 10, path=path)
    mine = root / "gapless-mine"
    mine.touch()
    add(claims, 0, 10, path=mine)
    path = root / "run/gapless/claims.json"
    path.write_text(path.read_text().replace(str(mine), str(victim)))
    end_process(root, 10)
    assert ranges(other) == []
    assert victim.exists()


def test_modes_follow_the_directory(root):
    add(make_claims(root, 10), 0, 10)
    folder = root / "run/gapless"
    assert [oct(path.stat().st_mode & 0o777) for path in (folder, folder / "lock", folder / "claims.json")] == [
        "0o755",
        "0o644",
        "0o644",
    ]
    folder.chmod(0o2775)
    add(make_claims(root, 11), 20, 10)
    assert oct((folder / "claims.json").stat().st_mode & 0o777) == "0o664"


@pytest.mark.skipif(os.geteuid() != 0, reason="root only: it gives up its rights")
def test_no_rights(root):
    add(make_claims(root, 10), 0, 10)
    for folder in (root, *root.parents[:-1]):
        folder.chmod(folder.stat().st_mode | 0o055)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setresuid(65534, 65534, 65534)
            claims = Claims(root, owner=Owner(77, 1, BOOT))
            try:
                with claims.session():
                    pass
            except AccessDeniedError as error:
                status = 0 if "Run as root" in str(error) and "tmpfiles.d" in str(error) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class Registry(RuleBasedStateMachine):
    """Many owners that come, claim, release, take engines and die, against sets."""

    pids = st.integers(10, 13)
    places = st.tuples(st.integers(0, 12), st.integers(1, 4))
    engines = st.integers(0, 2)

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        set_process(self.root, 1, 1)
        self.starts = dict.fromkeys(range(10, 14), 100)
        self.claims = {}
        self.stuck = set()  # engines that do not stop
        self.have, self.run = {}, {}  # (pid, start): ranges, engines
        self.stopped = []

    def teardown(self):
        if hasattr(self, "folder"):
            for claims in self.claims.values():
                claims._mine = type(claims._mine)()  # nothing to close at exit
            self.folder.cleanup()

    def stop(self, engine):
        if engine.base in self.stuck:
            raise RuntimeError("stuck")
        self.stopped.append(engine.base)

    def me(self, pid):
        key = pid, self.starts[pid]
        if key not in self.claims:
            self.claims[key] = make_claims(self.root, *key, stop_engine=self.stop)
            self.have[key], self.run[key] = set(), set()
        return key, self.claims[key]

    def reap(self):
        for key in [key for key in self.have if self.starts[key[0]] != key[1]]:
            self.run[key] &= self.stuck
            if not self.run[key]:
                del self.have[key], self.run[key]

    @rule(pid=pids, place=places)
    def claim(self, pid, place):
        key, claims = self.me(pid)
        self.reap()
        base, nbytes = place
        wanted = set(range(base, base + nbytes))
        taken_by = {
            who for who, places in self.have.items() for at, size in places if wanted & set(range(at, at + size))
        }
        if not taken_by:
            add(claims, *place)
            self.have[key].add(place)
        else:
            with pytest.raises(AddressError) as caught:
                add(claims, *place)
            assert isinstance(caught.value, TakenError) == (taken_by != {key})
            if isinstance(caught.value, TakenError):
                assert caught.value.pid in {who[0] for who in taken_by - {key}}

    @rule(pid=pids, place=places)
    def release(self, pid, place):
        key, claims = self.me(pid)
        self.reap()
        claims.release(*place)
        self.have[key].discard(place)

    @rule(pid=pids, engine=engines)
    def take(self, pid, engine):
        key, claims = self.me(pid)
        self.reap()
        if any(engine in running for who, running in self.run.items() if who != key):
            with pytest.raises(TakenError):
                claims.take_engine("zdma", engine, "z")
        else:
            claims.take_engine("zdma", engine, "z")
            self.run[key].add(engine)

    @rule(pid=pids, engine=engines)
    def give(self, pid, engine):
        key, claims = self.me(pid)
        if engine in self.run[key]:
            self.reap()
        claims.release_engine(engine)
        self.run[key].discard(engine)

    @rule(pid=pids)
    def die(self, pid):
        self.me(pid)
        self.starts[pid] += 1  # its pid is another process's at once
        set_process(self.root, pid, self.starts[pid])

    @rule(engine=engines)
    def jam(self, engine):
        self.stuck ^= {engine}

    @invariant()
    def the_same(self):
        if not getattr(self, "claims", None):
            return
        pid = next(iter(self.claims))[0]
        key, claims = self.me(pid)
        self.reap()
        with claims.session() as session:
            others = {((claim.owner.pid, claim.owner.start), claim.base, claim.nbytes) for claim in session.others}
            kept = {(claim.owner.pid, claim.owner.start) for claim in session.others if claim.quarantine}
            engines = {((engine.owner.pid, engine.owner.start), engine.base) for engine, _ in session.engines}
        assert others == {(who, *place) for who, places in self.have.items() if who != key for place in places}
        assert engines == {(who, engine) for who, running in self.run.items() if who != key for engine in running}
        assert kept == {who for who, places in self.have.items() if places and self.starts[who[0]] != who[1]}


TestRegistry = Registry.TestCase
TestRegistry.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
