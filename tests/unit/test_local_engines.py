"""What a program that was killed left running is stopped by the next one that opens the board."""

import signal
import subprocess
import sys

import numpy as np
import pytest
from fake_engine import RUN, FakeMm2s
from local_tree import make_tree

from gapless._native import MmioBus
from gapless.boards import BoardSpec, DmaSpec, MemoryKind, PortSpec, ZdmaSpec
from gapless.dma.zdma_registers import Offset
from gapless.errors import DmaStateError, TakenError
from gapless.local import Window, build_board
from gapless.local.engines import EngineStopper
from gapless.memory.claims import Claims, EngineClaim

BASE, ZDMA_BASE = 0xA000_0000, 0xFD50_0000
DMA = DmaSpec("dma", BASE, sg=True, ports={MemoryKind.PS: "HP0"}, mm2s_interrupt=3)
ZDMA = ZdmaSpec("gdma0", ZDMA_BASE, 156, 128)
SPEC = BoardSpec("bench", "bench", (), (), (PortSpec("HP0", 1e9),), (DMA,), (), zdmas=(ZDMA,))

#: Takes the engine of the registry under the directory it is given, says so and waits to be killed.
HOLDER = """
import sys, time
from pathlib import Path
from gapless.memory.claims import Claims
claims = Claims(Path(sys.argv[1]))
claims.take_engine("axi-dma", 0xA000_0000, "dma")
print("taken", flush=True)
time.sleep(60)
"""


@pytest.fixture
def engine():
    with FakeMm2s(np.zeros(4096, np.uint8), 0, lambda _level: None) as served:
        yield served


def claim(kind, base, name="x"):
    return EngineClaim(kind, base, name, 0.0, None)


def stopper(engine, zdma):
    bus = MmioBus()
    bus.add_window(BASE, engine.registers)
    bus.add_window(ZDMA_BASE, zdma)
    return EngineStopper(bus, SPEC)


def test_it_resets_an_axi_dma_and_disables_a_zdma_channel(engine):
    zdma = np.zeros(0x1000, np.uint8)
    stop = stopper(engine, zdma)
    engine.registers.view(np.uint32)[0] = RUN
    zdma.view(np.uint32)[Offset.CTRL2 // 4] = 1
    stop(claim("axi-dma", BASE))
    assert not engine.running
    assert zdma.view(np.uint32)[Offset.CTRL2 // 4] == 1
    stop(claim("zdma", ZDMA_BASE))
    assert zdma.view(np.uint32)[Offset.CTRL2 // 4] == 0


@pytest.mark.parametrize(
    ("kind", "base"), [("axi-dma", ZDMA_BASE), ("zdma", BASE), ("axi-dma", 0xB000_0000), ("x", BASE)]
)
def test_what_is_not_the_boards_is_not_touched(engine, kind, base):
    zdma = np.zeros(0x1000, np.uint8)
    with pytest.raises(DmaStateError, match=rf"old \({kind} at 0x.*open the board with the design that has it"):
        stopper(engine, zdma)(claim(kind, base, "old"))
    assert not zdma.any()


def test_the_engine_of_a_killed_program_is_stopped_and_given_out_again(tmp_path, engine):
    # The child is found in /proc by its own number.
    (make_tree(tmp_path) / "proc").rename(tmp_path / "unused")
    (tmp_path / "proc").symlink_to("/proc")
    windows = [Window(BASE, engine.registers), Window(ZDMA_BASE, np.zeros(0x1000, np.uint8))]
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "taken\n"
        engine.registers.view(np.uint32)[0] = RUN
        with pytest.raises(TakenError, match="dma"):
            build_board(SPEC, root=tmp_path, windows=windows)
        assert engine.running
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    with build_board(SPEC, root=tmp_path, windows=windows):
        assert not engine.running
        with pytest.raises(TakenError):
            Claims(tmp_path).take_engine("axi-dma", BASE, "dma")
    Claims(tmp_path).take_engine("axi-dma", BASE, "dma")
