"""Looking now and then whether a transfer has ended, without waiting for it."""

from __future__ import annotations

import numpy as np
import pytest
from driver_designs import fill, leaving_nothing, looped, noise

from gapless.dma import Moved, split
from gapless.errors import BufferInFlightError, DmaSlaveError


@pytest.mark.parametrize("sg", [True, False])
def test_it_lets_go_when_it_has_ended_and_not_before(sg):
    with leaving_nothing(looped(sg=sg)) as board:
        low, engine = board.memory["low"], board.dma("dma")
        source, sink = fill(low, noise(100_000)), low.allocate(100_000, np.uint8)
        receiving = engine.s2mm.begin(split(engine.spec, sink.physical_address, sink.nbytes), [sink], timeout=86400.0)
        board.bus.sleep(1000.0)
        assert not receiving.settle()
        sending = engine.mm2s.begin(split(engine.spec, source.physical_address, source.nbytes), [source])
        assert not sending.settle()
        with pytest.raises(BufferInFlightError):
            source.free()
        board.bus.sleep(1e-3)
        assert sending.settle()
        assert receiving.settle()
        assert np.array_equal(source, sink)
        source.free()
        sink.free()
        assert not engine.mm2s.busy
        assert sending.settle()
        assert sending.wait() == receiving.wait() == Moved(1, 100_000)


def test_what_went_wrong_is_for_the_wait_to_say():
    with leaving_nothing(looped()) as board, board.memory["low"].allocate(64, np.uint8) as buffer:
        engine = board.dma("dma")
        board.probe.faults.slave_error(buffer.physical_address, 64)
        sending = engine.mm2s.begin(split(engine.spec, buffer.physical_address, 64), [buffer])
        board.bus.sleep(1e-3)
        assert sending.settle()
        with pytest.raises(DmaSlaveError):
            sending.wait()


def test_it_holds_back_who_waits_for_long():
    """A wait, even for what has ended, would for a moment let others run ahead to their time-outs."""
    with leaving_nothing(looped(sg=False)) as board:
        low, engine = board.memory["low"], board.dma("dma")
        with fill(low, noise(64)) as source, low.allocate(64, np.uint8) as sink:
            for _ in range(200):
                receiving = engine.s2mm.begin(split(engine.spec, sink.physical_address, 64), [sink], timeout=86400.0)
                sending = engine.mm2s.begin(split(engine.spec, source.physical_address, 64), [source])
                for transfer in (sending, receiving):
                    while not transfer.settle():
                        board.bus.sleep(1e-6)
                receiving.wait()
        assert board.bus.time() < 0.1
