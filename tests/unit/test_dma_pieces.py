"""Cutting a buffer into what a length field holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.boards import DmaSpec, MemoryKind
from gapless.dma import check_span, piece_bytes, split
from gapless.errors import AddressError, BadArgumentError

WIDTHS = [4, 8, 16, 32, 64, 128]


def spec(length_width=26, data_width=32, address_width=40, **options):
    return DmaSpec(
        "dma0",
        0xA000_0000,
        sg=True,
        ports={MemoryKind.PS: "HP0"},
        length_width=length_width,
        data_width=data_width,
        address_width=address_width,
        **options,
    )


@st.composite
def spans(draw):
    data_width = draw(st.sampled_from(WIDTHS))
    length_width = draw(st.integers(8, 26))
    step = (1 << length_width) // max(64, data_width) * max(64, data_width)
    nbytes = draw(st.one_of(st.integers(1, 40 * step), st.integers(0, 20).map(lambda n: max(1, n * step + 1))))
    base = draw(st.sampled_from([0, 0x1_0000_0000 - 4096 * data_width, 0x8_E000_0000, (1 << 40) - 256 * step]))
    address = base + draw(st.integers(0, 100)) * data_width
    return spec(length_width, data_width), address, nbytes


@given(spans(), st.booleans())
def test_pieces_cover_exactly_in_order_aligned_and_within_the_field(given_span, even):
    dma, address, nbytes = given_span
    pieces = split(dma, address, nbytes, even=even)
    assert pieces.dtype == np.uint64
    assert pieces.shape[1:] == (2,)
    at = address
    for start, length in pieces.tolist():
        assert start == at
        assert 1 <= length <= dma.max_length
        assert start % dma.data_width == 0
        at += length
    assert at == address + nbytes
    # no more of them than needed, and every one but the last is whole words
    assert len(pieces) == -(-nbytes // piece_bytes(dma)) or even
    assert len(pieces) <= -(-nbytes // piece_bytes(dma))
    assert all(length % max(64, dma.data_width) == 0 for length in pieces[:-1, 1].tolist())


@given(st.integers(8, 26), st.sampled_from(WIDTHS))
def test_the_largest_piece_is_the_most_whole_words_the_field_holds(length_width, data_width):
    dma = spec(length_width, data_width)
    unit, largest = max(64, data_width), piece_bytes(dma)
    assert largest % unit == 0
    assert largest <= dma.max_length < largest + unit
    assert largest >= 128


def test_even_pieces_are_about_as_long_as_one_another():
    dma = spec(length_width=14)
    lengths = split(dma, 0, 16320 + 64, even=True)[:, 1].tolist()
    assert lengths == [8192, 8192]
    assert split(dma, 0, 16320 + 64)[:, 1].tolist() == [16320, 64]
    assert split(dma, 0, 100, even=True)[:, 1].tolist() == [100]


@pytest.mark.parametrize(
    ("address", "nbytes", "words"),
    [
        (0, 0, "asked to move 0 bytes"),
        (0, -1, "asked to move -1 bytes"),
        (-64, 64, "beyond the engine's 32-bit addresses"),
        (
            0xFFFF_FFC0,
            65,
            r"ends at 0x1_0000_0001, beyond the engine's 32-bit addresses; allocate it with below=0x1_0000_0000",
        ),
        (0x1_0000_0000, 1, "beyond the engine's 32-bit addresses"),
        (16, 64, r"buffer at 0x10 is not aligned to the engine's 32-byte words.*without realignment"),
    ],
)
def test_a_span_the_engine_cannot_reach_is_refused(address, nbytes, words):
    dma = spec(address_width=32)
    with pytest.raises(AddressError, match=f"dma0: .*{words}"):
        check_span(dma, address, nbytes)
    with pytest.raises(AddressError):
        split(dma, address, nbytes)


def test_the_last_byte_the_engine_reaches_is_allowed():
    check_span(spec(address_width=32), 0xFFFF_FFC0, 64)
    check_span(spec(address_width=64), (1 << 64) - 64, 64)
    with pytest.raises(AddressError, match="64-bit"):
        check_span(spec(address_width=64), (1 << 64) - 64, 65)
    assert split(spec(address_width=64), (1 << 64) - 64, 64).tolist() == [[(1 << 64) - 64, 64]]


def test_an_engine_with_realignment_takes_any_address():
    check_span(spec(data_width=8, dre=True), 3, 5)
    with pytest.raises(BadArgumentError, match="DRE"):
        spec(data_width=16, dre=True)
