"""Sizes, rates and times, read and printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.errors import BadArgumentError
from gapless.units import (
    format_address,
    format_bandwidth,
    format_rate,
    format_size,
    format_time,
    parse_size,
    parse_time,
)


@pytest.mark.parametrize(
    ("text", "nbytes"),
    [
        ("0", 0),
        ("65536", 65536),
        ("64KiB", 65536),
        (" 64 kib ", 65536),
        ("1.5MiB", 3 << 19),
        (".5KiB", 512),
        ("32GiB", 32 << 30),
        ("1TiB", 1 << 40),
        ("12b", 12),
        ("1e3", 1000),
        ("9007199254740993", 9007199254740993),  # not a float64
        ("0.0009765625KiB", 1),
    ],
)
def test_sizes_are_read_exactly(text, nbytes):
    assert parse_size(text) == nbytes
    assert isinstance(parse_size(text), int)


@pytest.mark.parametrize(
    "text",
    ["", "KiB", "1.2.3", "-1", "+1", "1MB", "1M", "0x10", "nan", "inf", "1e400", "1e999999999", "1 2", "٣", "1\n2"],
)
def test_what_is_no_size_is_refused_with_an_example(text):
    with pytest.raises(BadArgumentError, match=r"fifo .* is not understood: write it like 65536, 64KiB or 32GiB"):
        parse_size(text, "fifo")


@pytest.mark.parametrize("text", ["0.5", "1.3KiB", "1e-3"])
def test_a_fraction_of_a_byte_is_refused(text):
    with pytest.raises(BadArgumentError, match="is not a whole number of bytes"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1ms", 1e-3),
        ("250us", 250e-6),
        ("250µs", 250e-6),
        ("250μs", 250e-6),
        ("10ns", 10e-9),
        ("0.5", 0.5),
        ("2 s", 2.0),
        ("1e-3", 1e-3),
        ("1E1MS", 1e-2),
        ("0", 0.0),
    ],
)
def test_times_are_the_nearest_float(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "-1ms", "1m", "1min", "1ps", "soon", "1e3000s"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(BadArgumentError, match=r"software delay .* is not understood"):
        parse_time(text, "software delay")


@given(st.integers(0, 1 << 60))
def test_a_size_in_bytes_comes_back(nbytes):
    assert parse_size(str(nbytes)) == nbytes
    assert parse_size(f"{nbytes}KiB") == nbytes << 10


@given(st.integers(0, 1 << 50))
def test_what_is_printed_is_near_and_can_be_read(nbytes):
    text = format_size(nbytes)
    number, unit = text.split()
    value = float(number) * {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}[unit]
    assert abs(value - nbytes) <= max(0.005 * value, 0)
    assert len(number.partition(".")[2]) <= 2


@pytest.mark.parametrize(
    ("call", "value", "text"),
    [
        (format_size, 0, "0 B"),
        (format_size, 1023, "1023 B"),
        (format_size, 1536, "1.5 KiB"),
        (format_size, 128 << 20, "128 MiB"),
        (format_size, 100 << 30, "100 GiB"),
        (format_bandwidth, 4.8e9, "4.80 GB/s"),
        (format_bandwidth, 8.192e9, "8.19 GB/s"),
        (format_bandwidth, 12.0, "12 B/s"),
        (format_rate, 2.048e9, "2.048 GSa/s"),
        (format_rate, 1e6, "1 MSa/s"),
        (format_rate, 0.5, "0.5 Sa/s"),
        (format_time, 256e-6, "256 us"),
        (format_time, 1.5e-3, "1.5 ms"),
        (format_time, 7, "7 s"),
        (format_time, 10e-9, "10 ns"),
        (format_address, 0x8_E000_0000, "0x8_E000_0000"),
        (format_address, 0, "0x0"),
    ],
)
def test_printed_as_the_field_writes_it(call, value, text):
    assert call(value) == text
