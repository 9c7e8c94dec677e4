"""A program on the soft processor fills the blocks that a DAC plays: one board, one memory, one clock."""

import numpy as np
import pytest

import gapless

# Words and commands of the pattern program: firmware/pattern.c, docs/firmware.md.
RING, BLOCK_BYTES, BLOCKS, KIND, STEP, PHASE, WRITTEN, READ, RESULT = range(9)
START, STOP, FILL = 1, 2, 3
RAMP, SQUARE, SINE, TRIANGLE = range(4)
ADDRESS_WORD = 0x3FE
SAMPLES = 4096


@pytest.fixture
def board():
    with gapless.open("virtual:zcu111") as opened:
        opened.iop(1).load("pattern")
        opened.iop(1).start()
        yield opened
        assert not opened.findings


def play(board, rate, blocks):
    """Play blocks that the program generates; (report, what was converted)."""
    iop = board.iop(1)
    converted = bytearray()
    board.probe.tap(0, lambda data: converted.extend(data))
    iop.mailbox.write(BLOCK_BYTES, [2 * SAMPLES])
    iop.mailbox[KIND], iop.mailbox[STEP] = RAMP, 3 << 16
    with board.dac(0).stream(rate=rate, block_samples=SAMPLES, blocks=4, memory="ps-cma") as stream:
        for _ in range(blocks):
            block = stream.acquire()
            iop.mailbox[ADDRESS_WORD] = iop.device_address(block)
            iop.command(FILL)
            stream.submit(block)
    board.probe.flush(0)
    return stream.report, np.frombuffer(converted, np.int16)


def test_a_dac_plays_what_the_program_writes_without_a_gap(board):
    blocks = 24
    report, converted = play(board, 2e6, blocks)
    assert report.ledger.gap_count == 0
    assert report.samples_played == blocks * SAMPLES
    expected = (3 * np.arange(blocks * SAMPLES, dtype=np.uint32)).astype(np.uint16).view(np.int16)
    assert np.array_equal(converted, expected)
    # The processor made each sample: it has stored them all.
    assert board.probe.iop(1).instructions > 5 * blocks * SAMPLES


def test_a_rate_that_the_program_cannot_keep_up_with_leaves_gaps(board):
    report, converted = play(board, 40e6, 12)
    assert report.ledger.gap_count > 0
    assert len(converted) == 12 * SAMPLES  # late, but all of them


def test_a_ring_that_python_reads(board):
    iop = board.iop(1)
    blocks, samples = 4, 1024
    ring = board.memory["ps-cma"].allocate((blocks, samples), np.int16)
    iop.mailbox.write(RING, [iop.device_address(ring), 2 * samples, blocks, SINE, (1 << 32) // 1000, 0])
    iop.command(START)
    ring.sync_from_device()
    got = []
    for count in range(1, 13):
        iop.wait_word(WRITTEN, range(count, count + blocks + 1))
        got.append(ring[(count - 1) % blocks].copy())
        iop.mailbox[READ] = count
    iop.command(STOP)
    sine = np.concatenate(got).astype(float)
    phase = (np.arange(len(sine), dtype=np.uint64) * ((1 << 32) // 1000) & 0xFFFF_FFFF) / 2**32
    # The table has 1024 places: off by at most one of them, and by rounding.
    assert np.abs(sine - 32767 * np.sin(2 * np.pi * phase)).max() < 32767 * 2 * np.pi / 1024 + 1
    ring.free()


def test_a_full_ring_is_not_overwritten(board):
    iop = board.iop(1)
    blocks, samples = 4, 256
    ring = board.memory["ps-cma"].allocate((blocks, samples), np.int16)
    iop.mailbox.write(RING, [iop.device_address(ring), 2 * samples, blocks, RAMP, 1 << 16, 0])
    iop.command(START)
    board.bus.sleep(0.1)
    assert iop.mailbox[WRITTEN] == blocks
    assert np.array_equal(ring.ravel(), np.arange(blocks * samples))
    assert board.probe.iop(1).state == "settled"
    iop.mailbox[READ] = 1
    board.bus.sleep(0.01)
    assert iop.mailbox[WRITTEN] == blocks + 1
    iop.command(STOP)
    ring.free()
