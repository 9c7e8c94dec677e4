"""Models of IP in Python: streams in and out."""

from __future__ import annotations

import numpy as np
import pytest
from driver_designs import dma, fill, leaving_nothing, noise
from hypothesis import given, settings
from hypothesis import strategies as st
from ip_designs import BASE, Doubler, Taker, begin, board_with, elapsed, ip, sent_and_received, streaming

from gapless.errors import (
    BadArgumentError,
    BusAccessError,
    DmaInternalError,
    UnknownNameError,
)
from gapless.virtual import IpModel


class Sum(IpModel):
    """Of each packet, as one word of 64 bits."""

    def receive(self, port, data, last):
        self.outputs["dst"].send(data.sum(dtype=np.uint64))


@settings(max_examples=12, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 20_000), min_size=1, max_size=5),
    chunk=st.one_of(st.none(), st.integers(1, 8), st.integers(9, 9000)),
    rates=st.tuples(*[st.one_of(st.none(), st.floats(1e3, 1e10))] * 2),
    depth=st.integers(1, 1 << 16),
    sg=st.booleans(),
)
def test_packets_go_through_whatever_their_size(sizes, chunk, rates, depth, sg):
    class Same(Doubler):
        def start(self):
            self.inputs["src"].chunk, self.outputs["dst"].depth = chunk if sum(sizes) < 2000 else None, depth
            self.inputs["src"].rate, self.outputs["dst"].rate = rates

    packets = [noise(size, seed=size) for size in sizes]
    with leaving_nothing(streaming(Same, sg=sg)) as board:
        with sent_and_received(board, packets, sizes) as sinks:
            for packet, sink in zip(packets, sinks, strict=True):
                assert np.array_equal(sink, packet * np.uint8(2))
        assert board.probe.model("device").outputs["dst"].pending == 0


@pytest.mark.parametrize("chunk", [1000, 4096, 5000])
def test_a_packet_comes_in_pieces_and_only_its_last_ends_it(chunk):
    packets = [noise(10_000, 1), noise(5000, 2), noise(1, 3)]
    with streaming(Taker) as board:
        model, pool = board.probe.model("device"), board.memory["low"]
        model.inputs["src"].chunk = chunk
        begin(board.dma("dma").mm2s, *(fill(pool, packet) for packet in packets)).wait()
        board.bus.sleep(1e-6)
        expected = [packet[at : at + chunk] for packet in packets for at in range(0, len(packet), chunk)]
        assert [len(piece) for piece in model.taken] == [len(piece) for piece in expected]
        assert np.array_equal(np.concatenate(model.taken), np.concatenate(packets))
        ends = np.cumsum([-(-len(packet) // chunk) for packet in packets]) - 1
        assert np.flatnonzero(model.lasts).tolist() == ends.tolist()
        assert model.times == sorted(model.times)
        assert len(set(model.times)) > len(packets)  # not all at the end of their packet


def test_what_it_is_given_is_its_own():
    with streaming(Taker) as board:
        model, buffer = board.probe.model("device"), fill(board.memory["low"], noise(100))
        begin(board.dma("dma").mm2s, buffer).wait()
        board.bus.sleep(1e-6)
        (data,) = model.taken
        assert data.flags.writeable
        assert data.dtype == np.uint8
        buffer[:] = 0
        assert np.array_equal(data, noise(100))


def test_any_array_can_be_sent_and_out_is_not_as_long_as_in():
    packets = [noise(1000, 1), noise(3000, 2)]
    with streaming(Sum) as board, sent_and_received(board, packets, [8, 8]) as sinks:
        for packet, sink in zip(packets, sinks, strict=True):
            assert int(sink.view(np.uint64)[0]) == int(packet.sum(dtype=np.uint64))


def test_a_packet_longer_than_the_buffer_is_the_engines_error():
    with streaming(Doubler) as board, pytest.raises(DmaInternalError):
        elapsed(board, [noise(1000)], [500])


def test_two_inputs_are_told_apart():
    class Adder(IpModel):
        def start(self):
            self.waiting = {}

        def receive(self, port, data, last):
            self.waiting[port] = data
            if len(self.waiting) == 2:
                self.outputs["sum"].send(self.waiting.pop("a") - self.waiting.pop("b"))

    device = ip(inputs=[("a", "one"), ("b", "two")], outputs=[("sum", "one")])
    with board_with(device, models={"device": Adder}, dmas=[dma("one"), dma("two", line=1)]) as board:
        pool, one, two = board.memory["low"], board.dma("one"), board.dma("two")
        sink = pool.allocate(256, np.uint8)
        receiving = begin(one.s2mm, sink)
        begin(two.mm2s, fill(pool, noise(256, 1))).wait()
        begin(one.mm2s, fill(pool, noise(256, 2))).wait()
        receiving.wait()
        assert np.array_equal(sink, noise(256, 2) - noise(256, 1))


# ---- what goes wrong


@pytest.mark.parametrize("sg", [False, True])
def test_what_receive_raises_ends_the_transfers(sg):
    class Wrong(Doubler):
        def receive(self, port, data, last):
            if len(data) == 500:
                raise ValueError("not 500 again")
            super().receive(port, data, last)

    with streaming(Wrong, sg=sg) as board:
        elapsed(board, [noise(400)])
        pool, engine = board.memory["low"], board.dma("dma")
        receiving = begin(engine.s2mm, pool.allocate(500, np.uint8))
        begin(engine.mm2s, fill(pool, noise(500))).wait()  # the IP has taken it
        started = board.bus.time()
        with pytest.raises(DmaInternalError, match="a model of IP that has stopped"):
            receiving.wait()
        assert board.bus.time() - started < 1e-3
        (found,) = board.findings
        assert found.kind == "model-failed"
        assert "device: receive() of its model Wrong: ValueError: not 500 again (test_ip_models_streams" in found.text
        engine.reset()
        for channel in (engine.mm2s, engine.s2mm):
            with pytest.raises(DmaInternalError):
                begin(channel, fill(pool, noise(400))).wait()
        with pytest.raises(BusAccessError, match=r"not 500 again.*has stopped"):
            board.bus.read32(BASE)


def test_an_engine_that_waits_for_a_model_is_told_when_it_stops():
    class Refuses(IpModel):
        def start(self):
            self.inputs["src"].ready = False
            self.after(1e-3, lambda: self.outputs["dts"].send(b"1"))

        def receive(self, port, data, last):
            raise AssertionError

    with streaming(Refuses) as board:
        sending = begin(board.dma("dma").mm2s, board.memory["low"].allocate(64, np.uint8))
        with pytest.raises(DmaInternalError):
            sending.wait()
        assert board.bus.time() == pytest.approx(1e-3, abs=1e-5)
        assert "no stream output of the IP 'dts': there is dst" in board.findings[0].text


def test_a_packet_without_end_stops_the_model():
    class Short(Taker):
        def start(self):
            super().start()
            self.inputs["src"].longest = 10_000

    with streaming(Short) as board:
        pool, engine, model = board.memory["low"], board.dma("dma"), board.probe.model("device")
        begin(engine.mm2s, fill(pool, noise(10_000))).wait()
        with pytest.raises(DmaInternalError):
            begin(engine.mm2s, fill(pool, noise(20_000))).wait()
        assert [len(piece) for piece in model.taken] == [10_000]
        assert "device: a packet of more than 10000 bytes without TLAST" in board.findings[0].text


def test_what_ports_cannot_be():
    with streaming(Doubler) as board:
        model = board.probe.model("device")
        with pytest.raises(UnknownNameError, match="'scr': there is src"):
            model.inputs["scr"]
        for what, value in (("rate", 0), ("rate", -1.0), ("rate", float("nan")), ("rate", float("inf"))):
            with pytest.raises(BadArgumentError):
                setattr(model.inputs["src"], what, value)
        for what in ("chunk", "longest"):
            with pytest.raises(BadArgumentError, match=f"{what} of 0 bytes; it is at least one"):
                setattr(model.inputs["src"], what, 0)
        for what, value in (("rate", 0), ("depth", 0), ("depth", -1)):
            with pytest.raises(BadArgumentError):
                setattr(model.outputs["dst"], what, value)
        for data in ([], np.array([object()])):
            with pytest.raises(BadArgumentError, match="a packet is at least one byte"):
                model.outputs["dst"].send(data)
        with pytest.raises(BadArgumentError, match="a delay of -1 s"):
            model.outputs["dst"].send(noise(4), delay=-1)


def test_a_design_where_a_stream_has_two_ends():
    engine = dma()
    with pytest.raises(BadArgumentError, match="the stream of dma MM2S is given twice"):
        board_with(ip(inputs=[("a", "dma"), ("b", "dma")]), dmas=[engine])
    with pytest.raises(UnknownNameError, match="no DMA 'dam'"):
        board_with(ip(inputs=[("a", "dam")]), dmas=[engine])
    with pytest.raises(BadArgumentError, match="without its S2MM"):
        board_with(ip(outputs=[("a", "dma")]), dmas=[dma(s2mm=False)])
