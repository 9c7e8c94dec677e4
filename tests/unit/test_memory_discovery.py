"""Which of the five ways to memory a machine offers, from what their providers say."""

from pathlib import Path

import pytest

from gapless._native import HostMemory
from gapless.boards import BoardSpec
from gapless.memory import MappedRegion
from gapless.memory.claims import Claims
from gapless.memory.providers import PROVIDERS, Unavailable, discover, discovery
from gapless.memory.range_pool import RangePool

SPEC = BoardSpec("bench", "bench", (), (), (), (), ())


def pool(name):
    return RangePool(MappedRegion(name, 0, 4096, HostMemory(4096)), 0, 4096, name=name)


class Provider:
    """Gives what it was made with, and notes how it was asked."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def __call__(self, spec, *, root, claims):
        self.asked.append((spec, root, claims))
        return self.answer


@pytest.fixture
def offer(monkeypatch, tmp_path):
    def given(*providers):
        rows = tuple((title, name, offered) for (title, name, _), offered in zip(PROVIDERS, providers, strict=True))
        monkeypatch.setattr(discovery, "PROVIDERS", rows)
        return discover(SPEC, root=tmp_path, claims=Claims(tmp_path))

    return given


def test_the_five_modes_are_numbered_and_named():
    assert [name for _, name, _ in PROVIDERS] == ["ps-cma", "pl-ddr", "pl-ddr", "ps-hugepages", "ps-carveout"]


def test_the_first_that_has_a_pool_is_taken(offer):
    none, first, second = Provider(Unavailable("no heap", "a heap")), Provider(pool("ps-cma")), Provider(pool("x"))
    found = offer((none, first, second), (), (), (), ())
    assert found.pools == {"ps-cma": first.answer}
    assert found.modes[0].available
    assert (found.modes[0].pools, found.modes[0].reason, found.modes[0].fix) == (("ps-cma",), "", "")
    assert second.asked == []


def test_a_mode_that_is_missing_says_every_reason_once(offer):
    heap, driver = Provider(Unavailable("no heap", "a heap")), Provider(Unavailable("no driver", "a driver"))
    mode = offer((heap, driver, Provider(heap.answer)), (), (), (), ()).modes[0]
    assert not mode.available
    assert (mode.number, mode.reason, mode.fix) == (1, "no heap; no driver", "a heap; or a driver")


def test_a_provider_of_two_modes_is_asked_once(offer, tmp_path):
    ddr = Provider(pool("pl-ddr"))
    found = offer((), (ddr,), (ddr,), (), ())
    assert [mode.pools for mode in found.modes] == [(), ("pl-ddr",), ("pl-ddr",), (), ()]
    ((spec, root, claims),) = ddr.asked
    assert (spec, root) == (SPEC, tmp_path)
    assert isinstance(claims, Claims)


def test_every_mode_is_there_or_says_why_on_any_machine(tmp_path):
    found = discover(SPEC, root=Path(tmp_path), claims=Claims(tmp_path))
    assert [mode.number for mode in found.modes] == [1, 2, 3, 4, 5]
    assert all(mode.available or (mode.reason and mode.fix) for mode in found.modes)
