"""Models of IP in Python that do what they must not."""

from __future__ import annotations

import numpy as np
import pytest
from driver_designs import dma
from ip_designs import BASE, LINE, SIZE, Silent, alone, board_with, ip

from gapless.errors import BadArgumentError, BusAccessError, RegisterOffsetError
from gapless.virtual import IpModel


@pytest.mark.parametrize("given", [-1, 1 << 32, "1", 1.5, [1]])
def test_a_value_that_is_none_fails_the_read(given):
    class Wrong(IpModel):
        def read(self, offset, time):
            return given

    with alone(Wrong) as board:
        with pytest.raises(BusAccessError, match=r"device: read\(\) of its model Wrong: .* int from 0 to 0xFFFFFFFF"):
            board.bus.read32(BASE)
        assert [found.kind for found in board.findings] == ["model-failed"]


def test_what_a_register_method_raises_ends_that_access_only():
    class Touchy(IpModel):
        def read(self, offset, time):
            if offset == 8:
                raise ValueError("no such mode")

        def write(self, offset, value, time):
            if offset == 8:
                raise ValueError("not there")

    with alone(Touchy) as board:
        for access in (lambda: board.bus.read32(BASE + 8), lambda: board.bus.write32(BASE + 8, 1)):
            with pytest.raises(BusAccessError, match=r"device: .* of its model Touchy: ValueError: no.*test_ip_models"):
                access()
        board.bus.write32(BASE, 3)
        assert board.bus.read32(BASE) == 3
        model = board.probe.model("device")
        assert isinstance(model.error, ValueError)
        assert model.error.__traceback__ is not None
        read, write = board.findings
        assert (read.kind, read.address) == ("model-failed", BASE + 8)
        assert "no such mode" in read.text
        assert "not there" in write.text


def test_what_a_timer_raises_stops_the_model():
    class Bomb(IpModel):
        def start(self):
            self.after(1e-6, lambda: 1 // 0)
            self.after(2e-6, self.interrupt)

    with alone(Bomb) as board:
        board.bus.write32(BASE, 3)
        assert not board.bus.wait_interrupt(LINE, 1e-3)
        for _ in range(2):
            with pytest.raises(BusAccessError, match=r"ZeroDivisionError.*the model has stopped"):
                board.bus.read32(BASE)
        (found,) = board.findings
        assert found.time == pytest.approx(1e-6)


def test_a_model_that_goes_round_in_a_circle_is_stopped():
    class Circle(IpModel):
        def start(self):
            self.again()

        def again(self):
            self.after(0, self.again)

    with alone(Circle) as board:
        board.bus.sleep(1e-6)
        assert "100000 things at one moment" in board.findings[0].text


@pytest.mark.parametrize(
    "use",
    [
        lambda board: board.bus.read32(BASE),
        lambda board: board.bus.write32(BASE, 0),
        lambda board: board.bus.wait_interrupt(LINE, 1.0),
        lambda board: board.bus.sleep(1.0),
        lambda board: board.bus.time(),
        lambda board: board.probe.faults.clear_slave_errors(),
        lambda board: board.dma("dma").mm2s.stop(),
        lambda board: board.close(),
    ],
)
def test_a_callback_cannot_use_the_board(use):
    class Nosy(IpModel):
        def read(self, offset, time):
            return use(self.board) and None

    with board_with(ip(), models={"device": Nosy}, dmas=[dma()]) as board:
        model = board.probe.model("device")
        model.board = board
        for _ in range(2):
            with pytest.raises(BusAccessError, match="a callback of the virtual board used the board"):
                board.bus.read32(BASE)
        assert len(board.findings) == 1
        board.memory["low"].allocate(64, np.uint8).free()


def test_a_callback_can_have_buffers_come_and_go():
    class Owner(IpModel):
        def read(self, offset, time):
            self.kept = None
            self.kept = self.board.memory["low"].allocate(64, np.uint8)
            return len(self.board.findings)

    with alone(Owner) as board:
        model = board.probe.model("device")
        model.board = board
        assert [board.bus.read32(BASE) for _ in range(3)] == [0] * 3
        assert board.memory["low"].stats().buffers.count == 1
        model.kept = None
        assert board.memory["low"].stats().used == 0


def test_what_a_model_cannot_ask_for():
    with alone(Silent) as board:
        model = board.probe.model("device")
        for call in (
            lambda: model.after(-1, print),
            lambda: model.after(float("nan"), print),
            lambda: model.after(1, None),
            lambda: model.registers.__setitem__(0, -1),
        ):
            with pytest.raises(BadArgumentError):
                call()
        for offset in (2, SIZE, -4):
            with pytest.raises(RegisterOffsetError):
                model.registers[offset]
