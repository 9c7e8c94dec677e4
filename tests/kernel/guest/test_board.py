"""``gapless.open("local")`` on a real kernel: one program for all five ways to memory, moved between them by ZDMA."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest

import gapless
from gapless.board import Board
from gapless.dma.zdma_registers import Control, Event, Offset, State
from gapless.errors import AddressError, BadArgumentError, TakenError
from gapless.memory import Buffer
from gapless.units import KIB, MIB

#: Where each way finds its memory. Mode 3 is by address: a page range that the device tree reserves stands in.
POOLS = {1: "ps-cma", 2: "pl-ddr", 4: "ps-hugepages", 5: "ps-carveout"}
RESERVED = 0x8_7000_0000


@pytest.fixture(scope="module")
def board() -> Iterator[Board]:
    with gapless.open("local") as opened:
        yield opened


def memory(board: Board, mode: int, nbytes: int) -> Buffer:
    """The one line that differs from mode to mode."""
    if mode == 3:
        return board.map_physical(RESERVED + 4 * KIB, nbytes)
    name = POOLS[mode]
    if name not in board.memory:
        pytest.skip(next(found.reason for found in board.modes if found.number == mode))
    return board.memory[name].allocate(nbytes, np.uint8)


def program(board: Board, here: Buffer, there: Buffer) -> None:
    """What a user writes: the same for all."""
    values = np.random.default_rng(here.nbytes).integers(0, 256, here.nbytes, np.uint8)
    here.write(values)
    there.fill(0xA5)
    done = board.zdma.copy(here, there)
    assert done.bytes == here.nbytes
    assert np.array_equal(there.read(), values)
    here.fill(0x5A)
    part = slice(3, here.nbytes - 2)
    board.zdma.copy(there[: part.stop - part.start], here[part])
    values[part], values[: part.start], values[part.stop :] = values[: part.stop - part.start].copy(), 0x5A, 0x5A
    assert np.array_equal(here.read(), values)


@pytest.mark.claim("one program, to and from each of the five ways by ZDMA")
@pytest.mark.parametrize(
    ("one", "other"),
    [pytest.param(*pair, marks=pytest.mark.mode(*pair)) for pair in itertools.permutations((1, 2, 3, 4, 5), 2)],
)
def test_from_each_to_each(board: Board, one: int, other: int) -> None:
    for nbytes in (4096, 1_000_003):
        with memory(board, one, nbytes) as here, memory(board, other, nbytes) as there:
            program(board, here, there)


@pytest.mark.mode(4, 5)
@pytest.mark.claim("a list of descriptors moves runs of huge pages in one go")
def test_lists(board: Board) -> None:
    with memory(board, 4, 20 * MIB) as here, memory(board, 5, 20 * MIB) as there:
        here.write(np.arange(here.nbytes // 4, dtype=np.uint32).view(np.uint8))
        assert len(here.runs) >= 1
        done = board.zdma.copy(here, there)
        assert done.pieces == len(here.runs)
        for at in (0, 2 * MIB - 8, 2 * MIB, 20 * MIB - 16):
            assert np.array_equal(there[at : at + 16].read().view(np.uint32), np.arange(at // 4, at // 4 + 4))


@pytest.mark.claim("memory is listed with its type, how it is synced, and what is missing why")
def test_the_command_line_lists_it() -> None:
    said = run("memory", "--board", "local")
    assert said.returncode == 0, said.stderr
    for words in ("ps-hugepages", "normal-cached", "dc cvac", "ps-carveout", "device", "pl-ddr", "uncached"):
        assert words in said.stdout, said.stdout
    print(said.stdout)


@pytest.mark.mode(4, 5)
@pytest.mark.claim("gapless copy moves and compares from the command line")
def test_copy_from_the_command_line() -> None:
    said = run("copy", "ps-carveout", "ps-hugepages", "--size", "3MiB", "--board", "local", "--json")
    assert said.returncode == 0, said.stderr
    assert '"equal": true' in said.stdout
    said = run("copy", "ps-carveout", "ps-sram", "--board", "local")
    assert said.returncode == 2
    assert "no memory 'ps-sram': there is" in said.stderr


OTHER = """
import sys
import numpy as np
import gapless
board = gapless.open("local")
buffer = board.memory["ps-carveout"].allocate(1 << 20, np.uint8, address=int(sys.argv[1]))
"""
WAIT = """
print("ready", flush=True)
sys.stdin.readline()
board.close()
"""
#: Leaves channel gdma5 in the middle of a list: QEMU's moves all of it in the instant of its start, but for a pause.
MID_TRANSFER = """
from gapless.dma.zdma_lists import linked_list
from gapless.dma.zdma_registers import Control, Offset
channel = board.zdma["gdma5"]
channel._claim(channel)
pieces = [(buffer.physical_address + at, 1 << 18) for at in range(0, 1 << 20, 1 << 18)]
lists = board.memory["ps-carveout"].allocate(4096, np.uint8)
tables = linked_list(pieces[:2], lists.physical_address), linked_list(pieces[2:], lists.physical_address + 1024)
tables[0]["control"][0] |= 1 << 3  # pause after the first half (UG1085, descriptor word 3, CMD)
for place, table in zip((0, 1024), tables):
    lists.write(table.view(np.uint8), place)
engine = channel._engine
engine.prepare()
engine.write_wide(Offset.SRC_START, lists.physical_address)
engine.write_wide(Offset.DST_START, lists.physical_address + 1024)
board.bus.write32(channel.spec.base + Offset.CTRL0, Control.OVERFETCH | Control.SCATTER_GATHER)
board.bus.write32(channel.spec.base + Offset.CTRL2, 1)
"""


@contextmanager
def another_program(address: int, more: str = "") -> Iterator[subprocess.Popen[str]]:
    """One that has a MiB of the carve-out at ``address``."""
    with subprocess.Popen(
        [sys.executable, "-c", OTHER + more + WAIT, str(address)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as other:
        try:
            assert other.stdout is not None
            first = other.stdout.readline()
            assert first == "ready\n", first + other.stdout.read()
            yield other
        finally:
            other.kill()


@pytest.mark.mode(5)
@pytest.mark.claim("two programs on one carve-out: a taken range says who has it, and comes back when they end")
def test_two_programs(board: Board) -> None:
    pool = board.memory["ps-carveout"]
    address = pool.base + 512 * MIB
    with another_program(address) as other:
        with pytest.raises(TakenError, match=rf"is taken: pid {other.pid} \(.*python3 .*\) has it since") as taken:
            pool.allocate(4096, np.uint8, address=address + 65536)
        assert taken.value.pid == other.pid
        print(taken.value)
        with ExitStack() as stack:  # what is asked for without an address goes around it
            for _ in range(3):
                mine = stack.enter_context(pool.allocate(256 * MIB, np.uint8))
                assert address + MIB <= mine.physical_address or mine.physical_address + mine.nbytes <= address
        assert other.communicate("\n")[0] == ""
        assert other.returncode == 0
    pool.allocate(4096, np.uint8, address=address).free()


@pytest.mark.mode(5)
@pytest.mark.claim("a program killed in mid-transfer: its channel is stopped before its memory is given out")
def test_killed_in_mid_transfer(board: Board) -> None:
    pool = board.memory["ps-carveout"]
    address = pool.base + 768 * MIB
    channel = board.zdma["gdma5"]
    with another_program(address, MID_TRANSFER) as other:
        assert channel.events & Event.PAUSED
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert channel.events & Event.PAUSED  # the engine does not know
        with pool.allocate(MIB, np.uint8, address=address) as mine:
            mine.fill(0x77)
            board.bus.write32(channel.spec.base + Offset.CTRL0, Control.OVERFETCH | Control.SCATTER_GATHER | 1 << 1)
            assert (mine.read() == 0x77).all()  # "continue" finds nothing to go on with
            assert channel.state is not State.BUSY
            with pool.allocate(MIB, np.uint8) as more:
                program(board, mine, more)


@pytest.mark.mode(5)
@pytest.mark.claim("threads share the channels")
def test_threads(board: Board) -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                with memory(board, 5, 100_001) as here, memory(board, 2, 100_001) as there:
                    program(board, here, there)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def run(*arguments: str, user: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gapless.cli", *arguments], capture_output=True, text=True, check=False, user=user
    )


@pytest.mark.claim("memory of the kernel, of a driver or of a pool is refused by address, and the entry named")
def test_memory_that_is_somebody_elses(board: Board) -> None:
    for address, words in (
        (0x1000_0000, "System RAM"),
        (0x8_0800_0000, "System RAM"),
        (0xFF00_0000, "xuartps"),
        (board.memory["ps-carveout"].base, "is in pool ps-carveout"),
    ):
        with pytest.raises(AddressError, match=words) as refused:
            board.map_physical(address, 4096)
        print(refused.value)
    with pytest.raises(BadArgumentError, match="there is no such memory"):
        board.map_physical(-4096, 4096)
    # What is in one window with kernel memory: the last byte of the range counts.
    with pytest.raises(AddressError, match="System RAM"):
        board.map_physical(0x8_0000_0000 - 64 * KIB, 64 * KIB + 1)


@pytest.mark.claim("without root every way says what it needs, and nothing breaks")
def test_without_root() -> None:
    said = run("memory", "--board", "local", user=1000)
    assert said.returncode == 0, said.stderr
    assert "root" in said.stdout
    assert "CAP_SYS_RAWIO" in said.stdout
    print(said.stdout)
    said = run("copy", "ps-carveout", "ps-hugepages", "--board", "local", user=1000)
    assert said.returncode == 2
    assert "root" in said.stderr
    print(said.stderr)


@pytest.mark.claim("a design that is not there, a DAC that is not there: one error each")
def test_no_device(board: Board) -> None:
    said = run("play", "tone:1e6", "--seconds", "0.01", "--board", "local")
    assert said.returncode == 2
    assert "has no DAC" in said.stderr
    print(said.stderr)
    said = run("load", "nothing.bit", "--board", "local")
    assert said.returncode == 2 or said.returncode == 1
    print(said.stderr)
    assert os.path.exists("/run/gapless")
