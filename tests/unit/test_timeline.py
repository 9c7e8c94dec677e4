"""The time line of a capture: where blocks lie between the gaps that a monitor logs while they grow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gapless.stream.ledger import Gap, Ledger
from gapless.stream.timeline import Timeline


class FakeMonitor:
    """Logs the gaps of a known history, as far as time has come."""

    def __init__(self):
        self.gaps = []
        self.read_from = []

    def gaps_from(self, first):
        self.read_from.append(first)
        return list(self.gaps[first:])

    def ledger(self):
        return Ledger(
            -1, tuple(self.gaps), len(self.gaps), sum(gap.length for gap in self.gaps), rate=1e9, direction="adc"
        )


def history(runs):
    """Delivered samples as indices on the time line, and the gaps: ``runs`` is (lost, delivered) alternating."""
    indices, gaps, at = [], [], 0
    for lost, delivered in runs:
        if lost:
            gaps.append((at, lost))
        indices.extend(range(at + lost, at + lost + delivered))
        at += lost + delivered
    return indices, gaps


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 40)), min_size=1, max_size=15),
    st.lists(st.integers(1, 60), max_size=40),
    st.integers(0, 100),
    st.data(),
)
def test_blocks_lie_where_their_samples_were_taken(runs, blocks, behind, data):
    """The log is read at any moment after a block's last sample: it may be ahead, and its last gap half grown."""
    indices, gaps = history(runs)
    end = indices[-1] + 1
    monitor = FakeMonitor()
    timeline = Timeline(monitor)
    now, delivered = 0, 0
    for size in blocks:
        size = min(size, len(indices) - delivered)
        if size == 0:
            break
        part = indices[delivered : delivered + size]
        delivered += size
        now = data.draw(st.integers(max(now, part[-1] + 1), end + behind))
        monitor.gaps = [Gap(at, min(lost, now - at), "late") for at, lost in gaps if at < now]
        if now > end:
            monitor.gaps.append(Gap(end, now - end, "late"))
        index, inside = timeline.advance(size)
        assert index == part[0]
        assert [(gap.index, gap.length) for gap in inside] == [
            (at, lost) for at, lost in gaps if part[0] < at < part[-1]
        ]
    assert timeline.delivered == delivered
    ledger = timeline.ledger(whole=False)
    assert ledger.samples == delivered
    last = indices[delivered - 1] if delivered else -1
    expected = [(at, lost) for at, lost in gaps if at < last]
    assert [(gap.index, gap.length) for gap in ledger.gaps] == expected
    assert (ledger.gap_count, ledger.missing_samples) == (len(expected), sum(lost for _, lost in expected))
    assert (ledger.rate, ledger.direction) == (1e9, "adc")
    whole = timeline.ledger(whole=True)
    assert (whole.samples, list(whole.gaps)) == (delivered, monitor.gaps)


def test_a_gap_that_still_grows_when_it_is_read_first_counts_whole_later():
    monitor = FakeMonitor()
    timeline = Timeline(monitor)
    monitor.gaps = [Gap(100, 7, "late")]
    assert timeline.advance(100) == (0, ())  # behind the block: not its business
    monitor.gaps = [Gap(100, 900, "late"), Gap(1050, 3, "memory")]
    assert timeline.advance(50) == (1000, ())
    monitor.gaps = [Gap(100, 900, "late"), Gap(1050, 50, "memory"), Gap(1110, 5, "late")]
    assert timeline.advance(20) == (1100, (Gap(1110, 5, "late"),))


def test_two_gaps_at_one_place_are_both_passed():
    """Dropped for two reasons one after the other."""
    monitor = FakeMonitor()
    timeline = Timeline(monitor)
    monitor.gaps = [Gap(10, 5, "late"), Gap(15, 7, "memory"), Gap(32, 1, "late")]
    assert timeline.advance(15) == (0, (Gap(10, 5, "late"), Gap(15, 7, "memory")))
    assert timeline.advance(5) == (27, ())
    assert timeline.advance(5) == (33, ())
    assert timeline.ledger(whole=False).missing_samples == 13


def test_what_was_passed_is_not_read_again():
    monitor = FakeMonitor()
    timeline = Timeline(monitor)
    monitor.gaps = [Gap(10 * n + 5, 1, "late") for n in range(10)]
    for _ in range(10):
        timeline.advance(9)
    assert monitor.read_from == sorted(monitor.read_from)
    assert monitor.read_from[-1] >= 8
