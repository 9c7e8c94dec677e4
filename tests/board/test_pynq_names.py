"""Programs with PYNQ's names of several ages, unmodified, under ``gapless pynq run``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

OLD = """
from pynq import Xlnk, MMIO, GPIO, Overlay
from pynq.lib.dma import DMA
import numpy as np

xlnk = Xlnk()
overlay = Overlay("pynq_tutorial.bit")
dma_send = DMA(overlay.ip_dict["axi_dma_from_ps_to_pl"])
dma_recv = DMA(overlay.ip_dict["axi_dma_from_pl_to_ps"])
buffer_in = xlnk.cma_array(shape=(100,), dtype=np.uint32)
buffer_out = xlnk.cma_array(shape=(100,), dtype=np.uint32)
buffer_in[:] = np.arange(100)
dma_recv.recvchannel.transfer(buffer_out)
dma_send.sendchannel.transfer(buffer_in)
dma_send.sendchannel.wait()
dma_recv.recvchannel.wait()
mmio = MMIO(0x41210000, 0x10000)
mmio.array[1] = 0
mmio.write(0, 5)
print(buffer_out.sum(), mmio.read(0), GPIO(GPIO.get_gpio_pin(8), "in").read())
buffer_in.freebuffer(); buffer_out.freebuffer()
xlnk.xlnk_reset()
"""

NEW = """
import asyncio
import pynq.lib.dma
from pynq import allocate, MMIO, GPIO, Overlay, Xlnk, PynqBuffer, DefaultIP, Register, RegisterMap
from pynq.lib import AxiGPIO, DMA
from pynq.buffer import PynqBuffer
from pynq.mmio import MMIO
from pynq.registers import Register, RegisterMap
from pynq.overlay import DefaultIP
import numpy as np

assert pynq.lib.dma.DMA is DMA and pynq.allocate is allocate
overlay = Overlay("pynq_tutorial.bit")
dma_send, dma_recv = overlay.axi_dma_from_ps_to_pl, overlay.axi_dma_from_pl_to_ps
assert isinstance(dma_send, DMA) and isinstance(overlay.leds_gpio, AxiGPIO)

async def main():
    with allocate(shape=(100,), dtype=np.uint32) as source, allocate(shape=(100,), dtype="u4") as sink:
        source[:] = np.arange(100)
        dma_recv.recvchannel.transfer(sink)
        dma_send.sendchannel.transfer(source)
        await asyncio.gather(dma_send.sendchannel.wait_async(), dma_recv.recvchannel.wait_async())
        print(sink.sum(), dma_recv.recvchannel.transferred)

asyncio.run(main())
overlay.leds_gpio.setdirection("out")
overlay.leds_gpio[0:4].write(0b0101)
print(overlay.leds_gpio.register_map.GPIO_DATA)
"""


def run(folder: Path, program: str) -> str:
    (folder / "program.py").write_text(program)
    environment = {name: value for name, value in os.environ.items() if name != "GAPLESS_BOARD"}
    command = [sys.executable, "-W", "error", "-m", "gapless.cli", "pynq", "run", "program.py"]
    result = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment, timeout=120, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_old_names(tmp_path: Path) -> None:
    assert run(tmp_path, OLD) == "4950 5 0\n"


def test_new_names(tmp_path: Path) -> None:
    assert run(tmp_path, NEW) == "4950 400\n0x5\n"


OLD_IOP = """
import numpy as np
from pynq import Overlay, Xlnk
from pynq.lib import PynqMicroblaze
from iop.pynq_tutorial import Pynq_Tutorial

overlay = Overlay("./bitstream/pynq_tutorial.bit")
xlnk = Xlnk()
print(xlnk.cma_stats()["Buffer Count"])
iop = Pynq_Tutorial(overlay.iop1.mb_info)
buffer = xlnk.cma_array(shape=(1000,), dtype=np.int32)
iop.write_to_buffer(buffer.physical_address, 1000, 5)
print(buffer[:3], buffer[999], xlnk.cma_stats()["Buffer Count"])
buffer.freebuffer()
"""

NEW_IOP = """
import asyncio
from importlib.resources import as_file, files
from pynq import PL, DefaultHierarchy, Device, Overlay, allocate
from pynq.lib.pynqmicroblaze import MicroblazeHierarchy, PynqMicroblaze

overlay = Overlay("pynq_tutorial.bit", device=Device.active_device)
assert isinstance(overlay.iop1, MicroblazeHierarchy) and isinstance(overlay.iop1, DefaultHierarchy)
overlay.iop1.mbtype = "Pmod"
with as_file(files("gapless.iop.firmware") / "echo.bin") as program:
    echo = PynqMicroblaze(overlay.iop1.mb_info, str(program), force=True)

async def ask(word):
    echo.interrupt.clear()
    echo.write(0xF000, word)
    await echo.interrupt.wait()
    return echo.read(0xF004)

print(asyncio.run(ask(41)), PL.mem_dict["iop1/mb_bram_ctrl"]["state"].endswith("echo.bin"))
with as_file(files("gapless.iop.firmware") / "tutorial.bin") as program, allocate(10, target=overlay.PSDDR) as buffer:
    fill = PynqMicroblaze(overlay.iop1.mb_info, str(program))
    fill.write(0xF004, [7, 10])
    fill.write(0xF000, buffer.physical_address)
    while fill.read(0xF000) not in (0, 0xDEADBEEF):
        pass
    print(buffer)
"""

BOTH = """
import runpy
from pynq import board_in_use

def free():
    return {name: (pool.stats().free, pool.stats().buffers.count) for name, pool in board_in_use().memory.items()}

before = free()
for program in ("old.py", "new.py", "old.py"):
    runpy.run_path(program)
    print(free() == before)
print(board_in_use().findings)
"""


def test_an_old_program_for_an_iop_and_a_new_one_on_one_board(tmp_path: Path) -> None:
    """One after the other, with nothing left behind."""
    (tmp_path / "old.py").write_text(OLD_IOP)
    (tmp_path / "new.py").write_text(NEW_IOP)
    old = "0\n[5 6 7] 1004 1\nTrue\n"
    assert run(tmp_path, BOTH) == f"{old}42 True\n[ 7  8  9 10 11 12 13 14 15 16]\nTrue\n{old}()\n"
