"""Models of IP in Python: the pace of their streams, and what holds them back."""

from __future__ import annotations

import numpy as np
import pytest
from driver_designs import fill, noise
from ip_designs import BASE, LINE, Doubler, Taker, begin, elapsed, sent_and_received, streaming

from gapless.errors import (
    WaitTimeoutError,
)
from gapless.virtual import IpModel

ENGINE = 400e6  # B/s that the DMA of streaming() moves at most


@pytest.mark.parametrize("port", ["inputs", "outputs"])
@pytest.mark.parametrize("rate", [1e6, 33e6, 399e6])
def test_a_slow_port_takes_bytes_by_rate(port, rate):
    """The start-up is the same for any length, so what a longer packet takes more is its bytes by the rate.

    The other port moves at the speed of the engine, when the first has the whole packet.
    """

    class Slow(Doubler):
        def start(self):
            ports = self.inputs if port == "inputs" else self.outputs
            next(iter(ports.values())).rate = rate

    with streaming(Slow) as board:
        short, long = (elapsed(board, [noise(size)]) for size in (4096 * 2, 4096 * 50))
    assert long - short == pytest.approx(4096 * 48 * (1 / rate + 1 / ENGINE), rel=1e-6)


def test_a_slow_model_holds_the_engine_back():
    """What the IP has not taken the engine has not sent, but for the 16 KiB that it reads ahead."""

    class Slow(Taker):
        def start(self):
            super().start()
            self.inputs["src"].rate = 1e6

    with streaming(Slow) as board:
        model, buffer = board.probe.model("device"), fill(board.memory["low"], noise(100_000))
        started = board.bus.time()
        begin(board.dma("dma").mm2s, buffer).wait()
        took = board.bus.time() - started
        assert took == pytest.approx(0.1, abs=3e-6)
        assert model.times == pytest.approx([started + 0.1], abs=3e-6)


def test_in_chunks_in_and_out_overlap():
    class Piped(Doubler):
        def start(self):
            self.inputs["src"].rate = self.outputs["dst"].rate = 10e6

    times = []
    for chunk in (None, 4096):
        with streaming(Piped) as board:
            board.probe.model("device").inputs["src"].chunk = chunk
            times.append(elapsed(board, [noise(100_000)]))
    assert times[0] == pytest.approx(0.02, abs=2e-5)
    assert times[1] == pytest.approx(0.01 + 4096 / 10e6, abs=2e-5)


def test_a_delay_is_before_the_first_byte_and_packets_keep_their_order():
    class Late(IpModel):
        def receive(self, port, data, last):
            self.outputs["dst"].send(data, delay=1e-3 if data[0] == 0 else 0.0)

    packets = [np.full(64, value, np.uint8) for value in (0, 1)]
    with streaming(Late) as board:
        started = board.bus.time()
        with sent_and_received(board, packets, [64, 64]) as sinks:
            assert [int(sink[0]) for sink in sinks] == [0, 1]
            assert board.bus.time() - started == pytest.approx(1e-3, abs=2e-5)


def test_a_full_output_holds_the_input_back():
    class Bounded(Doubler):
        def start(self):
            self.outputs["dst"].depth = 10_000

    packets = [noise(4000, seed) for seed in range(40)]
    with streaming(Bounded) as board:
        pool, engine, model = board.memory["low"], board.dma("dma"), board.probe.model("device")
        sinks = [pool.allocate(4000, np.uint8) for _ in packets]
        sending = begin(engine.mm2s, *(fill(pool, packet) for packet in packets))
        board.bus.sleep(1e-3)
        assert 10_000 <= model.outputs["dst"].pending <= 10_000 + 16_384 + 4000
        assert not sending.done
        begin(engine.s2mm, *sinks).wait()
        sending.wait()
        for packet, sink in zip(packets, sinks, strict=True):
            assert np.array_equal(sink, packet * np.uint8(2))


def test_an_input_that_is_not_ready_takes_nothing_until_it_is():
    """As a core of HLS that waits for ap_start."""

    class Started(Doubler):
        def start(self):
            self.inputs["src"].ready = False

        def write(self, offset, value, time):
            self.inputs["src"].ready = bool(value)

    with streaming(Started) as board:
        pool, engine = board.memory["low"], board.dma("dma")
        sink = pool.allocate(1000, np.uint8)
        receiving, sending = begin(engine.s2mm, sink), begin(engine.mm2s, fill(pool, noise(1000)))
        board.bus.sleep(1e-3)
        assert not sending.done
        assert not sink.any()
        board.bus.write32(BASE, 1)
        sending.wait()
        receiving.wait()
        assert np.array_equal(sink, noise(1000) * np.uint8(2))


@pytest.mark.parametrize("model", [None, type("Registers", (IpModel,), {})])
def test_nothing_is_taken_or_given_where_nobody_models_it(model):
    with streaming(model) as board:
        pool, engine = board.memory["low"], board.dma("dma")
        for channel in (engine.mm2s, engine.s2mm):
            with pytest.raises(WaitTimeoutError):
                begin(channel, pool.allocate(64, np.uint8), timeout=1e-3).wait()
        assert not board.findings


def test_the_same_run_twice_takes_the_same_time():
    class Busy(Doubler):
        def start(self):
            self.inputs["src"].chunk, self.inputs["src"].rate = 777, 123e6
            self.tick()

        def tick(self):
            self.outputs["dst"].depth = 1 + self.outputs["dst"].depth * 7919 % 5000
            self.interrupt(self.outputs["dst"].depth % 2 == 0)
            self.after(3.3e-6, self.tick)

    def run():
        with streaming(Busy) as board:
            times = [elapsed(board, [noise(size) for size in (5000, 333, 12_345)]) for _ in range(3)]
            board.bus.wait_interrupt(LINE, 1.0)
            return times, board.bus.time()

    assert run() == run()
