"""pynq.lib.DMA: transfers of all kinds, on the design in use and on engines of other kinds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest
from driver_designs import noise, two_dmas
from pynq_board import engines, in_use

import gapless
from gapless.compat.pynq import Overlay, Xlnk, allocate
from gapless.compat.pynq.lib import DMA
from gapless.compat.pynq.lib.dma import DMA as OLD_DMA
from gapless.compat.pynq.lib.dma_channel import DMAChannel
from gapless.errors import BadArgumentError, UnknownNameError, UnsupportedError

MIB = 1 << 20


@pytest.fixture
def board() -> Iterator[gapless.Board]:
    with in_use(gapless.open("virtual:pynq-z2?cma=192MiB")) as board:
        yield board


@pytest.fixture
def overlay(board: gapless.Board) -> Overlay:
    return Overlay("pynq_tutorial.bit")


@pytest.fixture
def send(overlay: Overlay) -> DMAChannel:
    return overlay.axi_dma_from_ps_to_pl.sendchannel


@pytest.fixture
def receive(overlay: Overlay) -> DMAChannel:
    return overlay.axi_dma_from_pl_to_ps.recvchannel


def loop(send: DMAChannel, receive: DMAChannel, nbytes: int, target: object = None) -> None:
    """As programs for PYNQ do it."""
    data = noise(nbytes, nbytes)
    with allocate(nbytes, "u1", target) as source, allocate(nbytes + 64, "u1", target) as sink:
        source[:], sink[:] = data, 0x5A
        receive.transfer(sink, nbytes=nbytes)
        send.transfer(source)
        send.wait()
        receive.wait()
        assert send.transferred == receive.transferred == nbytes
        assert np.array_equal(sink[:nbytes], data)
        assert (sink[nbytes:] == 0x5A).all()


def test_what_an_overlay_has(overlay: Overlay, board: gapless.Board) -> None:
    engine = overlay.axi_dma_from_ps_to_pl
    assert isinstance(engine, DMA)
    assert DMA is OLD_DMA
    assert (engine.recvchannel, overlay.axi_dma_from_pl_to_ps.sendchannel) == (None, None)
    assert engine.buffer_max_size == (1 << 23) - 1
    assert engine.engine is board.dma("axi_dma_from_ps_to_pl")
    assert engine.description["interrupts"]["mm2s_introut"]["raw_irq"] == 61


@pytest.mark.parametrize("nbytes", [1, 7, 8, 4097, (1 << 23) - 1, (1 << 23) + 1, 64 * MIB])
def test_any_length_direct(send: DMAChannel, receive: DMAChannel, nbytes: int) -> None:
    """PYNQ: ValueError for more than the length field holds, here 8 MiB - 1."""
    for _ in range(2 if nbytes < MIB else 1):
        loop(send, receive, nbytes)


@pytest.mark.parametrize("nbytes", [1, 4, 4097, 64 * MIB])
def test_any_length_by_scatter_gather(nbytes: int) -> None:
    """PYNQ: less than two words to a descriptor, such as 4 bytes, is ZeroDivisionError."""
    with in_use(two_dmas()) as board:
        one, other = (DMA(engines(board.spec)[name]) for name in "ab")
        for _ in range(2 if nbytes < MIB else 1):
            loop(one.sendchannel, other.recvchannel, nbytes, board.memory["low"])


def test_the_old_construction_and_old_memory(overlay: Overlay) -> None:
    one, other = (OLD_DMA(overlay.ip_dict[f"axi_dma_from_{way}"]) for way in ("ps_to_pl", "pl_to_ps"))
    source, sink = Xlnk().cma_array(100, np.uint32), Xlnk().cma_array(100, np.uint32)
    source[:] = range(100)
    other.recvchannel.transfer(sink)
    one.sendchannel.transfer(source)
    one.sendchannel.wait()
    other.recvchannel.wait()
    assert sink.tolist() == list(range(100))
    source.freebuffer()
    sink.freebuffer()


def test_transfer_only_starts(send: DMAChannel, receive: DMAChannel, board: gapless.Board) -> None:
    with allocate(MIB, "u1") as source, allocate(MIB, "u1") as sink:
        source[:], sink[:] = noise(MIB), 0
        assert receive.idle
        receive.transfer(sink)
        board.bus.sleep(100.0)  # it has all the time there is
        assert (receive.idle, receive.running, receive.halted, receive.transferred) == (False, True, False, 0)
        begun = board.bus.time()
        send.transfer(source)
        assert board.bus.time() - begun < 1e-5
        assert not sink.any()
        receive.wait()
        assert board.bus.time() - begun == pytest.approx(2 * MIB / 800e6, rel=0.1)  # one port for both
        assert receive.idle
        assert np.array_equal(sink, source)
        receive.wait()  # once more is no more


def test_it_may_be_asked_whether_it_is_idle_instead(send: DMAChannel, receive: DMAChannel) -> None:
    """Programs look at ``idle`` in a loop, and free buffers without a wait for the channel that sends."""
    with allocate(MIB, "u1") as source, allocate(MIB, "u1") as sink:
        source[:] = noise(MIB)
        receive.transfer(sink)
        send.transfer(source)
        while not receive.idle:
            pass
        assert receive.transferred == MIB
        assert np.array_equal(sink, source)


def test_nobody_waits_for_what_was_sent(send: DMAChannel, receive: DMAChannel) -> None:
    for nbytes in (1, 100, 100_000):
        source, sink = allocate(nbytes, "u1"), allocate(nbytes, "u1")
        for _ in range(50):
            receive.transfer(sink)
            send.transfer(source)
            receive.wait()
        source.freebuffer()
        sink.freebuffer()


def test_a_part_of_a_buffer(send: DMAChannel, receive: DMAChannel) -> None:
    """``start`` and ``nbytes`` count bytes, whatever the dtype."""
    with allocate((10, 100), "u4") as source, allocate(1000, "u4") as sink:
        source[...] = np.arange(1000).reshape(10, 100)
        sink[:] = 9999
        receive.transfer(sink, 40, 400)
        send.transfer(source, start=800, nbytes=400)
        receive.wait()
        assert sink[10:110].tolist() == list(range(200, 300))
        assert (sink[:10] == 9999).all()
        assert (sink[110:] == 9999).all()
        receive.transfer(sink[500:600])
        send.transfer(source[3])
        receive.wait()
        assert sink[500:600].tolist() == list(range(300, 400))
        receive.transfer(sink, start=4 * 900)
        send.transfer(source, start=4 * 900)
        receive.wait()
        assert sink[900:].tolist() == list(range(900, 1000))


def test_caches_are_seen_to(
    send: DMAChannel, receive: DMAChannel, board: gapless.Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent is written back before, and what was received is looked up anew after; no more than that."""
    with allocate(4096, "u1") as source, allocate(4096, "u1") as sink:
        seen: list[tuple[str, int, int]] = []
        for name in ("sync_to_device", "sync_from_device"):
            monkeypatch.setattr(
                type(board.address_map.find(source.physical_address)),
                name,
                lambda _, address, nbytes, name=name: seen.append((name, address, nbytes)),
            )
        receive.transfer(sink, 1024, 64)
        send.transfer(source, 8, 64)
        assert ("sync_to_device", source.physical_address + 8, 64) in seen
        assert "sync_from_device" not in {name for name, *_ in seen}
        seen.clear()
        receive.wait()
        send.wait()
        assert seen == [("sync_from_device", sink.physical_address + 1024, 64)]


def test_a_cyclic_transfer_is_written_back_before(monkeypatch: pytest.MonkeyPatch) -> None:
    with in_use(two_dmas()) as board, allocate(4096, "u1", board.memory["low"]) as period:
        region, seen = type(board.address_map.find(period.physical_address)), []
        monkeypatch.setattr(region, "sync_to_device", lambda _, address, nbytes: seen.append((address, nbytes)))
        send = DMA(engines(board.spec)["a"]).sendchannel
        send.transfer(period, 64, 128, cyclic=True)
        send.stop()
        assert (period.physical_address + 64, 128) in seen


@pytest.mark.parametrize("sg", [False, True])
def test_a_short_packet(sg: bool) -> None:
    """PYNQ: a scatter-gather receive whose packet is shorter than its buffer never ends."""
    with in_use(two_dmas(source={"sg": sg}, sink={"sg": sg, "length_width": 14})) as board:
        one, other = (DMA(engines(board.spec)[name]) for name in "ab")
        low = board.memory["low"]
        with allocate(1000, "u1", low) as source, allocate(100_000, "u1", low) as sink:
            source[:], sink[:] = noise(1000), 0x5A
            for _ in range(2):
                other.recvchannel.transfer(sink)
                one.sendchannel.transfer(source)
                other.recvchannel.wait()
                assert other.recvchannel.transferred == 1000
                assert np.array_equal(sink[:1000], source)
                assert (sink[1000:] == 0x5A).all()


def test_asyncio(send: DMAChannel, receive: DMAChannel) -> None:
    """Both wait at once, and something else goes on meanwhile."""
    looks = 0

    async def other() -> None:
        nonlocal looks
        while not receive.idle:
            looks += 1
            await asyncio.sleep(0)

    async def main() -> None:
        receive.transfer(sink)
        send.transfer(source)
        await asyncio.gather(receive.wait_async(), send.wait_async(), other())

    with allocate(MIB, "u1") as source, allocate(MIB, "u1") as sink:
        source[:] = noise(MIB)
        asyncio.run(main())
        assert looks > 1
        assert (send.transferred, receive.transferred) == (MIB, MIB)
        assert np.array_equal(sink, source)


def test_cyclic() -> None:
    """PYNQ: a cyclic start resets the whole engine, and ends the receive that runs on it."""
    with in_use(two_dmas()) as board:
        one, other = (DMA(engines(board.spec)[name]) for name in "ab")
        low = board.memory["low"]
        with allocate(1024, "u1", low) as period, allocate(1024, "u1", low) as sink:
            period[:] = noise(1024)
            other.recvchannel.transfer(sink)
            one.sendchannel.transfer(period, cyclic=True)
            assert (one.sendchannel.idle, one.sendchannel.running) == (False, True)
            for _ in range(200):  # more than FIFO and engines hold
                other.recvchannel.wait()
                assert np.array_equal(sink, period)
                sink[:] = 0
                other.recvchannel.transfer(sink)
            other.recvchannel.wait()
            with pytest.raises(RuntimeError, match="no end to wait for"):
                one.sendchannel.wait()
            one.sendchannel.stop()
            assert (one.sendchannel.idle, one.sendchannel.running) == (True, False)


def test_a_cyclic_start_leaves_the_other_channel_alone() -> None:
    with in_use(two_dmas()) as board:
        one, other = (DMA(engines(board.spec)[name]) for name in "ab")
        low = board.memory["low"]
        with allocate(1024, "u1", low) as period, allocate(1024, "u1", low) as sink, allocate(64, "u1", low) as never:
            one.recvchannel.transfer(never)  # nothing comes
            other.recvchannel.transfer(sink)
            one.sendchannel.transfer(period, cyclic=True)
            other.recvchannel.wait()
            assert (one.recvchannel.running, one.recvchannel.error) == (True, False)
            assert not board.dma("a").s2mm.status & 1  # Halted
            one.recvchannel.stop()
            one.sendchannel.stop()


def test_cyclic_needs_scatter_gather(send: DMAChannel) -> None:
    with allocate(64) as buffer, pytest.raises(UnsupportedError, match="scatter-gather"):
        send.transfer(buffer, cyclic=True)


def test_wrong_descriptions(overlay: Overlay) -> None:
    with pytest.raises(UnknownNameError, match=r"no DMA at '0x4121_0000': there is 0x4040_0000, 0x4041_0000"):
        DMA(overlay.ip_dict["leds_gpio"])
    with pytest.raises(BadArgumentError, match="ip_dict"):
        DMA(0x4040_0000)  # type: ignore[arg-type]
