"""Status words into exceptions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless import errors
from gapless.dma.decode import error_for_descriptor, error_for_status, has_error

BITS = {
    4: (errors.DmaInternalError, "DMAIntErr", "length 0"),
    5: (errors.DmaSlaveError, "DMASlvErr", "SLVERR"),
    6: (errors.DmaDecodeError, "DMADecErr", "decodes to no memory"),
    8: (errors.SgInternalError, "SGIntErr", "already complete"),
    9: (errors.SgSlaveError, "SGSlvErr", "SLVERR"),
    10: (errors.SgDecodeError, "SGDecErr", "decodes to no memory"),
}


@pytest.mark.parametrize("bit", BITS)
def test_each_bit_of_dmasr_is_its_own_exception(bit):
    kind, name, meaning = BITS[bit]
    status = 1 << bit | 0x4001
    error = error_for_status("dma0 MM2S", status, 0x8_0000_0040)
    assert type(error) is kind
    assert (error.address, error.status) == (0x8_0000_0040, status)
    assert str(error).startswith(f"dma0 MM2S at 0x8_0000_0040: {name}: ")
    assert meaning in str(error)
    assert f"DMASR 0x{status:08X}" in str(error)
    assert "recover()" in str(error)


def test_the_descriptor_is_named_where_it_is_known():
    error = error_for_status("x", 1 << 5, 0x1000, descriptor=0x2040)
    assert "x at 0x1000 (descriptor at 0x2040): DMASlvErr" in str(error)
    assert error.address == 0x1000
    assert str(error_for_status("x", 1 << 5, None)).startswith("x: DMASlvErr")


@given(st.integers(0, 0xFFFFFFFF))
def test_an_error_is_found_exactly_when_there_is_a_bit(status):
    there = any(status >> bit & 1 for bit in BITS)
    assert has_error(status) == there
    assert (error_for_status("x", status, None) is not None) == there


@pytest.mark.parametrize("bit", [28, 29, 30])
def test_each_bit_of_a_descriptor_is_its_own_exception(bit):
    kind, name, _ = BITS[bit - 24]
    error = error_for_descriptor("x", 1 << bit, 0x40, 0x9000)
    assert type(error) is kind
    assert name in str(error)
    assert (error.address, error.status) == (0x9000, 1 << bit)


def test_a_completed_descriptor_is_no_error():
    assert error_for_descriptor("x", 1 << 31 | 1 << 27 | 1 << 26 | 1000, 0, 0) is None
