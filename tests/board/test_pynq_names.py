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
