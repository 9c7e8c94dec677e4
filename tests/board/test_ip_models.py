"""Models of IP in Python: registers, time and interrupts, and how they are bound."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from ip_designs import BASE, LINE, SIZE, VLNV, Silent, alone, board_with, ip

from gapless._native import Machine
from gapless.errors import (
    BadArgumentError,
    BusAccessError,
    UnknownNameError,
)
from gapless.virtual import IpModel
from gapless.virtual.models import model_for

COUNT, START, DONE = 0x10, 0x00, 0x04


class Recorder(IpModel):
    """Counts up at each read of COUNT; remembers what it was told."""

    def start(self):
        self.told, self.count = [], 0

    def read(self, offset, time):
        self.told.append(("read", offset, time))
        if offset != COUNT:
            return None
        self.count += 1
        return np.uint32(self.count)

    def write(self, offset, value, time):
        self.told.append(("write", offset, value, time, self.registers[offset]))


class Delayed(IpModel):
    """Done, with an interrupt, 1 ms after a write to START; a write to DONE takes the interrupt back."""

    def write(self, offset, value, time):
        if offset == START:
            self.after(1e-3, self.finish)
        elif offset == DONE:
            self.interrupt(False)

    def finish(self):
        self.finished = self.time
        self.registers[DONE] = 1
        self.interrupt()


@pytest.mark.parametrize("models", [{}, {"device": Silent}])
def test_without_methods_registers_keep_what_is_written(models):
    with board_with(ip(size=0x2000), models=models) as board:
        offsets = (0, 4, 0xFFC, 0x1000, 0x1FFC)
        assert [board.bus.read32(BASE + offset) for offset in offsets] == [0] * 5
        for offset in offsets:
            board.bus.write32(BASE + offset, 0xFFFF_FFFF - offset)
        assert [board.bus.read32(BASE + offset) for offset in offsets] == [0xFFFF_FFFF - offset for offset in offsets]
        for wrong in (BASE + 0x2000, BASE + 2, BASE - 4):
            with pytest.raises(BusAccessError):
                board.bus.read32(wrong)


def test_an_ip_without_registers_answers_nowhere():
    with board_with(ip(size=0)) as board, pytest.raises(BusAccessError, match="no device"):
        board.bus.read32(BASE)


def test_reads_and_writes_reach_the_model_at_their_time():
    with alone(Recorder) as board:
        bus, model = board.bus, board.probe.model("device")
        bus.sleep(1e-3)
        bus.write32(BASE + 0x20, 7)
        assert [bus.read32(BASE + COUNT) for _ in range(3)] == [1, 2, 3]
        assert bus.read32(BASE + 0x20) == 7
        write, read = 100e-9, 200e-9
        times = [1e-3, 1e-3 + write, 1e-3 + write + read, 1e-3 + write + 2 * read, 1e-3 + write + 3 * read]
        assert [entry[0:2] for entry in model.told] == [("write", 0x20), *[("read", COUNT)] * 3, ("read", 0x20)]
        assert [entry[-1] if entry[0] == "read" else entry[3] for entry in model.told] == pytest.approx(
            times, abs=1e-15
        )
        assert model.told[0][2] == model.told[0][4] == 7  # given, and in its register already
        assert not board.findings


def test_a_model_that_answers_later_is_waited_for_to_the_picosecond():
    with alone(Delayed) as board:
        bus, model = board.bus, board.probe.model("device")
        assert not bus.wait_interrupt(LINE, 1.0)
        started = bus.time()
        bus.write32(BASE + START, 1)
        assert bus.read32(BASE + DONE) == 0
        assert bus.wait_interrupt(LINE, 1.0)
        assert bus.time() - started == pytest.approx(1e-3, abs=2e-13)
        assert model.finished - started == pytest.approx(1e-3, abs=2e-13)
        assert bus.read32(BASE + DONE) == 1
        assert bus.wait_interrupt(LINE, 0.0)
        bus.write32(BASE + DONE, 0)
        assert not bus.wait_interrupt(LINE, 1e-3)


def test_an_interrupt_out_of_a_read_is_seen():
    class OnRead(IpModel):
        def read(self, offset, time):
            self.interrupt(offset == 0)

    with alone(OnRead) as board:
        board.bus.read32(BASE)
        assert board.bus.wait_interrupt(LINE, 0.0)
        board.bus.read32(BASE + 4)
        assert not board.bus.wait_interrupt(LINE, 0.0)


def test_who_waits_for_it_is_woken_by_a_read():
    machine = Machine(200e-9, 100e-9)
    handle = machine.add_ip(BASE, 0x1000, "device", LINE)

    class Answers:
        def answer_read(self, offset, time):
            return handle.set_interrupt(True)

    handle.bind(Answers(), True, False)
    reader, waiter, woken = machine.bus(), machine.bus(), []
    thread = threading.Thread(target=lambda: woken.append((waiter.wait_interrupt(LINE, 1.0), waiter.time())))
    thread.start()
    reader.sleep(1e-3)
    assert reader.read32(BASE) == 0
    thread.join(20)
    assert woken == [(True, 1e-3)]


def test_timers_go_off_in_order_and_not_when_cancelled():
    class Timers(IpModel):
        def start(self):
            self.gone = []
            for name, delay in (("c", 3e-6), ("a", 1e-6), ("b", 1e-6), ("late", 1.0)):
                self.after(delay, lambda name=name: self.gone.append((name, self.time)))
            self.after(2e-6, lambda: self.gone.append("never")).cancel()
            self.after(2e-6, lambda: self.after(0, lambda: self.gone.append(("nested", self.time))))

    with alone(Timers) as board:
        board.bus.sleep(5e-6)
        gone = board.probe.model("device").gone
        assert [name for name, _ in gone] == ["a", "b", "nested", "c"]
        assert [time for _, time in gone] == pytest.approx([1e-6, 1e-6, 2e-6, 3e-6], abs=1e-13)


def test_a_program_can_set_a_model_going_too():
    with alone(Delayed) as board:
        model = board.probe.model("device")
        assert model.name == "device"
        assert model.spec.vlnv == VLNV
        assert model.time == 0
        model.registers[0x40] = 9
        assert board.bus.read32(BASE + 0x40) == 9
        model.after(1e-3, model.finish)
        assert board.bus.wait_interrupt(LINE, 1.0)
        assert model.finished == pytest.approx(1e-3, abs=1e-13)


# ---- binding


def test_the_class_defined_last_is_bound_and_a_version_goes_before_none():
    vlnv = "gapless.test:binding:last"

    class First(IpModel):
        bindto = (f"{vlnv}:1.0",)

    class AnyVersion(IpModel):
        bindto = (vlnv,)

    assert model_for(f"{vlnv}:1.0") is First
    assert model_for(f"{vlnv}:1.1") is AnyVersion

    class Second(IpModel):
        bindto = (f"{vlnv}:1.0",)

    class Derived(Second):
        """Binds nothing of its own."""

    assert model_for(f"{vlnv}:1.0") is Second
    assert model_for("gapless.test:binding:other:1.0") is None
    with board_with(ip(vlnv=f"{vlnv}:1.0"), ip("other", base=BASE + SIZE, interrupt=None)) as board:
        assert type(board.probe.model("device")) is Second
        with pytest.raises(UnknownNameError, match="'other': there is device"):
            board.probe.model("other")
    with board_with(ip(vlnv=f"{vlnv}:1.0"), models={"device": Derived}) as board:
        assert type(board.probe.model("device")) is Derived


def test_what_cannot_be_bound():
    with pytest.raises(BadArgumentError, match="it is a tuple of VLNVs"):
        type("Wrong", (IpModel,), {"bindto": VLNV})
    with pytest.raises(BadArgumentError, match="'fir' is no vendor:library:name"):
        type("Wrong", (IpModel,), {"bindto": ("fir",)})
    with pytest.raises(UnknownNameError, match="no IP to model 'divice': there is device"):
        board_with(ip(), models={"divice": Silent})
    with pytest.raises(BadArgumentError, match="is no IpModel"):
        board_with(ip(), models={"device": object()})
    model = Silent()
    with pytest.raises(BadArgumentError, match="models another IP already"):
        board_with(ip(), ip("two", base=BASE + SIZE, interrupt=None), models={"device": model, "two": model})


def test_what_start_raises_reaches_who_opens_the_board():
    class Wrong(IpModel):
        def start(self):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        alone(Wrong)


def test_a_model_has_nothing_before_it_is_placed():
    with pytest.raises(BadArgumentError, match="Silent is on no board yet"):
        Silent().registers[0]
