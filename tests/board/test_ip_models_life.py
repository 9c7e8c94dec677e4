"""Models of IP in Python: from a board's beginning to its end, in several threads, and when they are interrupted."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from driver_designs import fill, noise, spec
from ip_designs import BASE, Silent, alone, begin, board_with, ip, sent_and_received, streaming

import gapless
from gapless.errors import BoardClosedError, BusAccessError, GaplessError
from gapless.virtual import IpModel, build_board, models


class Echo(IpModel):
    def start(self):
        self.pieces = []
        self.outputs["dst"].rate = 1e6

    def receive(self, port, data, last):
        self.pieces.append((self.time, len(data)))
        self.outputs["dst"].send(data, last)


def test_a_closed_board_lets_go_of_its_models_in_circles_too():
    board = alone(Silent)
    model = board.probe.model("device")
    model.board, gone = board, weakref.ref(model)
    board.close()
    board.close()
    del model, board
    gc.collect()
    assert gone() is None


def test_a_board_that_nobody_closed_goes_with_its_models():
    board = streaming(Echo)
    gone = weakref.ref(board.probe.model("device"))
    del board
    gc.collect()  # the board
    gc.collect()  # what it kept
    assert gone() is None


def test_a_model_that_outlives_its_board_says_so():
    class Later(Echo):
        def start(self):
            super().start()
            self.after(1e-6, self.pieces.clear)

    board = streaming(Later)
    model, bus = board.probe.model("device"), board.bus
    board.close()
    with pytest.raises(BoardClosedError):
        bus.read32(BASE)
    assert model.time == 0  # of what is still there
    del board, bus
    gc.collect()
    for call in (lambda: model.time, lambda: model.after(1, print), lambda: model.outputs["dst"].send(b"1")):
        with pytest.raises(BoardClosedError):
            call()


def test_closing_ends_a_transfer_that_waits_for_a_model():
    class Never(Echo):
        def receive(self, port, data, last):
            self.tick()

        def tick(self):
            self.after(1e-6, self.tick)  # time passes, and nothing comes

    with streaming(Never) as board:
        pool, engine = board.memory["low"], board.dma("dma")
        receiving = begin(engine.s2mm, pool.allocate(64, np.uint8), timeout=1e4)
        begin(engine.mm2s, fill(pool, noise(64))).wait()
        outcome = []

        def wait():
            try:
                receiving.wait()
            except GaplessError as error:
                outcome.append(error)

        waiting = threading.Thread(target=wait)
        waiting.start()
    waiting.join(20)
    assert not waiting.is_alive()
    assert len(outcome) == 1


class Clock(IpModel):
    """Counts its microseconds; remembers when it was started."""

    started, ticks = (), 0

    def start(self):
        self.started += (self.time,)
        self.after(1e-6, self.tick)

    def tick(self):
        self.ticks += 1
        self.after(1e-6, self.tick)


def design(*ips):
    return replace(spec(), ips=ips)


def test_another_design_has_models_of_its_own_and_time_goes_on():
    with mock.patch.dict(models._bound), build_board(design(ip(vlnv="a:b:c:1.0")), models={"device": Clock}) as board:

        class Bound(Clock):
            bindto = ("a:b:second",)

        bus = board.bus
        bus.sleep(10.5e-6)
        first, now = board.probe.model("device"), bus.time()
        second = ip("second", vlnv="a:b:second:1.0", base=BASE + 0x1_0000)
        board._replace(board._refit, design(second))
        with pytest.raises(BusAccessError, match="no device"):
            bus.read32(BASE)
        bus.write32(second.base, 5)
        bus.sleep(10.5e-6)
        model = board.probe.model("second")
        assert type(model) is Bound
        assert model.started == pytest.approx((now,))
        assert (first.ticks, model.ticks) == (10, 10)
        gone = weakref.ref(first)
        del first
        gc.collect()
        assert gone() is None
        assert bus.read32(second.base) == 5
        assert not board.findings


def test_a_model_that_was_given_goes_into_the_next_design_again():
    model = Clock()
    with build_board(design(ip()), models={"device": model}) as board:
        board.bus.sleep(5.5e-6)
        board._replace(board._refit, design(ip(base=BASE + 0x1_0000)))
        board.bus.write32(BASE + 0x1_0000, 7)
        assert board.probe.model("device") is model
        assert model.registers[0] == 7
        board.bus.sleep(5.5e-6)
        assert model.ticks == 10
        assert len(model.started) == 2


def test_a_design_whose_model_does_not_start_leaves_the_old_one_at_work():
    with mock.patch.dict(models._bound), build_board(design(ip(vlnv="a:b:c:1.0")), models={"device": Clock}) as board:

        class Broken(IpModel):
            bindto = ("a:b:broken",)

            def start(self):
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            board._replace(board._refit, design(ip("broken", vlnv="a:b:broken:1.0", base=BASE + 0x1_0000)))
        board.bus.write32(BASE, 7)
        board.bus.sleep(5.5e-6)
        model = board.probe.model("device")
        assert (model.registers[0], model.ticks) == (7, 5)


def test_other_threads_and_collections_do_not_change_what_a_model_sees():
    def run(disturb):
        stop = threading.Event()

        def busy():
            while not stop.is_set():
                gc.collect(0)
                sum(range(200))

        threads = [threading.Thread(target=busy) for _ in range(2 * disturb)]
        for thread in threads:
            thread.start()
        try:
            with streaming(Echo) as board, sent_and_received(board, [noise(3000)] * 10, [3000] * 10):
                return board.probe.model("device").pieces
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    assert run(False) == run(True) == run(True)


def test_two_boards_have_a_model_each_and_one_cannot_use_the_other():
    class Peer(IpModel):
        def read(self, offset, time):
            return self.other.bus.read32(BASE) if offset else 5

    one, two = alone(Peer), alone(Peer)
    with one, two:
        one.probe.model("device").other, two.probe.model("device").other = two, one
        assert one.bus.read32(BASE) == two.bus.read32(BASE) == 5
        with pytest.raises(BusAccessError, match="a callback of the virtual board used the board"):
            one.bus.read32(BASE + 4)


def test_a_tap_cannot_use_the_board_either(monkeypatch):
    raised = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: raised.append(unraisable.exc_value))
    with gapless.open("virtual:zcu111") as board:
        board.probe.tap(0, lambda view: board.bus.time())
        board.dac(0).play(np.zeros(1024, np.int16), rate=1e9)
        board.probe.flush(0)
    (error,) = raised
    assert isinstance(error, BusAccessError)


def test_time_of_the_wall_drives_a_model():
    class Slow(IpModel):
        def start(self):
            self.done = threading.Event()
            self.after(0.05, self.done.set)

    with board_with(ip(), models={"device": Slow}, wall_clock=True) as board:
        assert board.probe.model("device").done.wait(20)


PROGRAM = """
import _thread, sys, threading
sys.path.insert(0, {tests!r})
import numpy as np
from driver_designs import fill, noise, spec
from ip_designs import BASE, alone, begin, streaming
from gapless.virtual import IpModel
"""

ENDINGS = {
    "a transfer under way": (
        """
class Ticking(IpModel):
    def start(self): self.tick()
    def tick(self): self.after(1e-6, self.tick)
    def receive(self, port, data, last): pass
board = streaming(Ticking)
buffer = board.memory["low"].allocate(64, np.uint8)
transfer = begin(board.dma("dma").s2mm, buffer, timeout=1e5)
print("ends", flush=True)
""",
        0,
        "ends\n",
    ),
    "a board in a circle, never closed": (
        """
class Circle(IpModel):
    def start(self): self.me = self
board = alone(Circle)
board.probe.model("device").board = board
board.bus.write32(BASE, 1)
print(board.bus.read32(BASE))
""",
        0,
        "1\n",
    ),
    "Ctrl-C in a callback": (
        """
class Long(IpModel):
    def start(self): self.after(1e-6, self.work)
    def work(self):
        _thread.interrupt_main()
        while True: pass
board = alone(Long)
try:
    board.bus.sleep(1)
    for _ in range(1000): pass
    print("not interrupted")
except KeyboardInterrupt:
    print(board.findings[0].text)
board.close()
""",
        0,
        "KeyboardInterrupt in a callback of a model, which is left half done\n",
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_how_a_program_ends(ending):
    text, status, output = ENDINGS[ending]
    program = PROGRAM.format(tests=str(Path(__file__).parent)) + text
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (status, output, "")
