"""gapless copy, as it is typed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gapless.cli import copy as module
from gapless.cli.app import run
from gapless.dma import ZdmaChannel


def test_json(capsys):
    assert run(["copy", "ps-cma", "pl-ddr", "--size", "3MiB", "--channel", "adma2", "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    assert got.pop("seconds") == pytest.approx((3 << 20) / 4e9, rel=0.01)  # read by ADMA's port, written by another
    source, to = got.pop("source_address"), got.pop("destination_address")
    assert (source >> 28, to) == (0x7, 0x10_0000_0000)
    assert got == {
        "from": "ps-cma",
        "to": "pl-ddr",
        "bytes": 3 << 20,
        "channel": "adma2",
        "mode": "simple",
        "pieces": 1,
        "equal": True,
    }


def test_in_words(capsys):
    assert run(["copy", "pl-ddr", "pl-ddr", "--size", "1001"]) == 0
    out = capsys.readouterr().out
    assert "copied  1001 B by gdma0, by registers" in out
    assert out.rstrip().endswith("equal")


def test_without_a_check(capsys):
    assert run(["copy", "ps-cma", "pl-ddr", "--size", "1MiB", "--no-verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["equal"] is None


@pytest.mark.parametrize("where", [0, 1234, (33 << 20) - 1])
def test_one_wrong_byte_is_exit_status_1(monkeypatch, capsys, where):
    whole = ZdmaChannel.copy

    def with_an_error(self, src, dst, **options):
        done = whole(self, src, dst, **options)
        np.asarray(dst)[where] ^= 1
        return done

    monkeypatch.setattr(ZdmaChannel, "copy", with_an_error)
    assert run(["copy", "ps-cma", "pl-ddr", "--size", "33MiB"]) == 1
    assert f"NOT EQUAL: the first byte that differs is number {where:,}" in capsys.readouterr().out


def test_a_copy_that_does_nothing_is_not_equal_even_where_an_earlier_one_succeeded(monkeypatch, capsys):
    real = module._fill

    def earlier_run_left_the_pattern(src, dst):
        for part, data in module._pattern(dst.nbytes):
            dst[part] = data
        real(src, dst)

    whole = ZdmaChannel.copy
    monkeypatch.setattr(module, "_fill", earlier_run_left_the_pattern)
    monkeypatch.setattr(ZdmaChannel, "copy", lambda self, src, dst, **_: whole(self, src[:1], dst[:1]))
    assert run(["copy", "ps-cma", "pl-ddr", "--size", "64KiB", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["equal"] is False


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nowhere", "pl-ddr"], "no memory 'nowhere': there is ps-cma"),
        (["ps-cma", "pl-ddr", "--channel", "gdma9"], "no ZDMA channel 'gdma9': there is gdma0"),
        (["ps-cma", "pl-ddr", "--size", "0"], "nothing to copy"),
        (["ps-cma", "pl-ddr", "--size", "1GB"], "is not understood"),
        (["ps-cma", "pl-ddr", "--size", "1GiB"], "asked 1 GiB in ps-cma"),
        (["ps-cma"], "Missing argument"),
    ],
)
def test_wrong_use(capsys, args, words):
    assert run(["copy", *args]) == 2
    assert words in capsys.readouterr().err
