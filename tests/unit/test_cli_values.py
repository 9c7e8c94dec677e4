"""What people type, read before anything runs."""

from pathlib import Path

import pytest

from gapless.cli import values
from gapless.cli.demo_signal import make_signal
from gapless.cli.sources import open_signal, read_all
from gapless.errors import BadArgumentError


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1), ("100e6", 100_000_000), ("1_000", 1000), ("1.5e1", 15), ("1.0", 1)]
)
def test_whole_numbers(text: str, number: int) -> None:
    assert values.whole(text, "--samples") == number


@pytest.mark.parametrize(
    "text", ["0", "-1", "1.5", "nan", "snan", "inf", "-inf", "", "x", "1e-3", "1e18", "1e30", "1e999999999", "0x10"]
)
def test_what_is_no_count_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(BadArgumentError, match=r"^--samples [^\n]*$"):
        values.whole(text, "--samples")


def test_a_count_keeps_all_digits() -> None:
    assert values.whole("123456789012345677", "--samples") == 123456789012345677


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e400", "x", ""])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(BadArgumentError, match="--rate"):
        values.rate(text)


def test_seconds_become_samples_by_rounding() -> None:
    assert values.sample_count(None, "0.1", 1.024e9) == 102_400_000
    assert values.sample_count(None, "1.6", 1) == 2
    assert values.sample_count(None, None, 1) is None


@pytest.mark.parametrize(("samples", "seconds"), [("10", "1"), (None, "0"), (None, "1e-9"), (None, "1e300")])
def test_seconds_that_cannot_be(samples: str | None, seconds: str) -> None:
    with pytest.raises(BadArgumentError, match="--seconds"):
        values.sample_count(samples, seconds, 1e6)


@pytest.mark.parametrize(
    ("text", "number"), [("0x8_E000_0000", 0x8E0000000), ("8E0000000", 0x8E0000000), ("0X10", 16), (None, None)]
)
def test_addresses_are_hexadecimal(text: str | None, number: int | None) -> None:
    assert values.address(text) == number


@pytest.mark.parametrize("text", ["", "zz", "-1", "0x1_0000_0000_0000_0000"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadArgumentError, match="--address"):
        values.address(text)


@pytest.mark.parametrize(
    ("board", "depth", "uri"),
    [
        ("virtual:zcu111", None, "virtual:zcu111"),
        ("virtual:zcu111", "64KiB", "virtual:zcu111?fifo=65536"),
        ("virtual:zcu111?ps=32GiB", "65536", "virtual:zcu111?ps=32GiB&fifo=65536"),
        ("virtual:zcu111?", "65536", "virtual:zcu111?fifo=65536"),
        ("local", "65536", "local"),
    ],
)
def test_the_fifo_depth_is_an_option_of_the_board(board: str, depth: str | None, uri: str) -> None:
    assert values.board_uri(board, depth) == uri


def test_a_fifo_depth_given_twice_is_refused() -> None:
    with pytest.raises(BadArgumentError, match="fifo= already"):
        values.board_uri("virtual:zcu111?fifo=4KiB", "64KiB")


def test_a_file_brings_its_rate_and_an_option_overrides_it(tmp_path: Path) -> None:
    sf = pytest.importorskip("soundfile")
    path = tmp_path / "a.wav"
    sf.write(path, [0.0, 0.5], 48000, subtype="PCM_16")
    assert open_signal(str(path), None)[1] == 48000
    assert open_signal(str(path), 1e6)[1] == 1e6
    assert open_signal("noise:", None)[1] == values.DEFAULT_RATE


def test_a_generator_is_read_for_one_period_at_most() -> None:
    source, _ = open_signal("counter:5", None)
    assert len(read_all(source, 10**9)) == 65536
    assert read_all(source, 3).tolist() == [5, 6, 7]


def test_the_demo_signal_never_repeats_a_stretch() -> None:
    signal = make_signal(300_000)
    assert abs(int(signal.min())) <= 32767
    assert signal.max() > 25000
    stretches = {signal[start : start + 64].tobytes() for start in range(0, 299_000, 64)}
    assert len(stretches) == len(range(0, 299_000, 64))
