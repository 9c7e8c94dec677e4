"""PYNQ's image resizer, as its real hand-off describes it, with a model of its HLS core.

Source of what software does with it: PYNQ-HelloWorld, pynq_helloworld/notebooks/edge/resizer_pl.ipynb.
"""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

import gapless
from gapless.boards.handoff import Design
from gapless.boards.handoff.board_spec import board_spec
from gapless.dma import split
from gapless.errors import WaitTimeoutError
from gapless.virtual import IpModel, build_board, models

from .real_handoffs import folder

CTRL, SRC_ROWS, SRC_COLS, DST_ROWS, DST_COLS = 0x00, 0x10, 0x18, 0x20, 0x28  # as the hand-off has them
START, DONE, IDLE, AUTO_RESTART = 0x01, 0x02, 0x04, 0x80


class Resizer(IpModel):
    """Takes an image of 3 bytes a pixel when it was started, and gives the pixel nearest to each of another size."""

    def start(self):
        self.registers[CTRL] = IDLE
        self.inputs["src"].ready = False
        self.inputs["src"].rate = self.outputs["dst"].rate = 3 * 100e6  # a pixel a clock

    def write(self, offset, value, time):
        if offset == CTRL:
            self.registers[CTRL] = value & AUTO_RESTART | (0 if value & START else IDLE)
            self.inputs["src"].ready = bool(value & START)

    def receive(self, port, data, last):
        rows, columns, new_rows, new_columns = (self.registers[at] for at in (SRC_ROWS, SRC_COLS, DST_ROWS, DST_COLS))
        image = data.reshape(rows, columns, 3)
        at_row, at_column = np.arange(new_rows) * rows // new_rows, np.arange(new_columns) * columns // new_columns
        self.outputs["dst"].send(image[np.ix_(at_row, at_column)])
        again = self.registers[CTRL] & AUTO_RESTART
        self.inputs["src"].ready = bool(again)
        self.registers[CTRL] = again | DONE | (0 if again else IDLE)


@pytest.fixture
def board():
    with mock.patch.dict(models._bound):  # for these tests only

        class Bound(Resizer):
            bindto = ("xilinx.com:hls:resize_accel",)

        with gapless.open(f"virtual:{folder() / 'resizer.hwh'}") as board:  # that it warned would be an error
            yield board


def resize(board, image, rows, columns, *, timeout=0.1):
    """What the notebook does: registers, both transfers, then start."""
    bus, pool, engine = board.bus, board.memory["ps-cma"], board.dma("axi_dma_0")
    (ip,) = board.spec.ips
    for offset, value in ((SRC_ROWS, len(image)), (SRC_COLS, image.shape[1]), (DST_ROWS, rows), (DST_COLS, columns)):
        bus.write32(ip.base + offset, value)
    with pool.allocate(image.shape, np.uint8) as source, pool.allocate((rows, columns, 3), np.uint8) as sink:
        source[:] = image
        sending, receiving = (
            channel.begin(split(engine.spec, buffer.physical_address, buffer.nbytes), [buffer], timeout=timeout)
            for channel, buffer in ((engine.mm2s, source), (engine.s2mm, sink))
        )
        bus.write32(ip.base + CTRL, AUTO_RESTART | START)
        began = bus.time()
        sending.wait()
        receiving.wait()
        return np.array(sink), bus.time() - began


def test_an_image_gets_half_the_size(board):
    image = np.random.default_rng(1).integers(0, 256, (360, 640, 3), dtype=np.uint8)
    for _ in range(2):
        resized, took = resize(board, image, 180, 320)
        assert np.array_equal(resized, image[::2, ::2])
        # A pixel a clock at 100 MHz, in, and then out.
        assert took == pytest.approx((360 * 640 + 180 * 320) / 100e6, rel=0.02)
    doubled, _ = resize(board, resized, 360, 640)
    assert np.array_equal(doubled, np.repeat(np.repeat(resized, 2, axis=0), 2, axis=1))
    assert board.findings == ()


def test_the_model_has_what_the_hand_off_says(board):
    model = board.probe.model("resize_accel_0")
    assert (list(model.inputs), list(model.outputs)) == (["src"], ["dst"])
    assert model.spec.vlnv == "xilinx.com:hls:resize_accel:1.0"
    assert model.parameters["C_S_AXI_AXILITES_ADDR_WIDTH"] == "6"


def test_without_the_model_nothing_moves():
    spec = board_spec(Design.load(folder() / "resizer.hwh"))
    with build_board(spec) as board, pytest.raises(WaitTimeoutError):
        resize(board, np.zeros((8, 8, 3), np.uint8), 4, 4)
