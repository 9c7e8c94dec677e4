"""MMIO, its array, and Register and RegisterMap on it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynq_board import in_use

import gapless
from gapless.compat.pynq import MMIO, DefaultIP, Overlay, Register, RegisterMap
from gapless.errors import BadArgumentError, BusAccessError, RegisterOffsetError, UnknownNameError

LEDS, BTNS, IOP = 0x4121_0000, 0x4120_0000, 0x4000_0000


@pytest.fixture
def board() -> Iterator[gapless.Board]:
    with in_use(gapless.open("virtual:pynq-z2")) as board:
        yield board


@pytest.fixture
def memory(board: gapless.Board) -> MMIO:
    """Plain memory that a bus reaches word by word: that of an IOP."""
    return MMIO(IOP, 64)


def test_lengths_and_orders(memory: MMIO, board: gapless.Board) -> None:
    memory.write(8, 0x89AB_CDEF)
    memory.write(12, 0x0123_4567)
    assert board.bus.read32(IOP + 8) == 0x89AB_CDEF
    assert [memory.read(8, length) for length in (1, 2, 4, 8)] == [0xEF, 0xCDEF, 0x89AB_CDEF, 0x0123_4567_89AB_CDEF]
    assert memory.read(8) == memory.read(8, 4, "big") == 0x89AB_CDEF
    assert memory.read(8, 8, word_order="big") == 0x89AB_CDEF_0123_4567
    assert MMIO(IOP + 8, 4).read() == 0x89AB_CDEF
    memory.write(16, b"\x01\x02\x03\x04\xff\x00\x00\x80")
    assert (memory.read(16), memory.read(20)) == (0x0403_0201, 0x8000_00FF)
    memory.write(16, -2)
    assert memory.read(16) == 0xFFFF_FFFE
    memory.write(16, np.uint32(0x8000_0000))
    assert memory.read(16) == 0x8000_0000
    assert MMIO(IOP, 64, True).read(16) == 0x8000_0000  # debug, in old programs
    assert MMIO(IOP, 64, debug=True).device.board is board


@pytest.mark.parametrize(("offset", "length"), [(64, 4), (60, 8), (64, 1), (1 << 40, 4)])
def test_beyond_the_range(memory: MMIO, offset: int, length: int) -> None:
    """PYNQ: IndexError."""
    with pytest.raises(IndexError, match="within the 0x40"):
        memory.read(offset, length)


def test_wrong_use_changes_nothing(memory: MMIO, board: gapless.Board) -> None:
    """PYNQ: MemoryError for what is unaligned, ValueError for the rest; bytes beyond the range are written in part."""
    memory.write(60, 1)
    for write in (
        lambda: memory.write(60, b"12345678"),
        lambda: memory.write(60, b"12345"),
        lambda: memory.write(58, 5),
        lambda: memory.write(64, 5),
        lambda: memory.write(-4, 5),
    ):
        with pytest.raises(RegisterOffsetError):
            write()
    for number in (1 << 32, -(1 << 31) - 1, 1.5, "1", None):
        with pytest.raises(BadArgumentError):
            memory.write(60, number)  # type: ignore[arg-type]
    assert memory.read(60) == 1
    with pytest.raises(MemoryError, match="Unaligned read"):
        memory.read(2)
    for arguments in ((0, 3), (0, 0), (0, 16), (0, 8, "middle"), (-4, 4)):
        with pytest.raises(ValueError, match=r"currently only|big and little|multiple of 4"):
            memory.read(*arguments)
    for base, length in ((-4, 4), (0, -1), (IOP + 2, 4)):
        with pytest.raises(BadArgumentError):
            MMIO(base, length)
    with pytest.raises(BusAccessError):
        MMIO(0x7000_0000, 4).read()


def test_the_array_is_the_registers(memory: MMIO, board: gapless.Board) -> None:
    array = memory.array
    assert (len(array), array.shape, array.dtype, array.nbytes) == (16, (16,), np.dtype(np.uint32), 64)
    array[:] = 0
    array[2] = 5
    array[-1] = 6
    array[3:5] = [7, 8]
    array[2] |= 8
    assert memory.read(8) == 13
    assert memory.read(60) == 6
    assert array[2:5][1] == 7
    assert np.array_equal(array[1:6], [0, 13, 7, 8, 0])
    assert (array[2:5] * 2).tolist() == [26, 14, 16]
    array[2:4] += 1
    assert [board.bus.read32(IOP + 4 * n) for n in range(1, 6)] == [0, 14, 8, 8, 0]
    for use in (lambda: array[16], lambda: array[-17], lambda: array[0:4][4]):
        with pytest.raises(IndexError):
            use()
    with pytest.raises(BadArgumentError):
        array[0:2] = [1, 1 << 32]
    assert array[0] == 0
    assert len(MMIO(IOP, 7).array) == 1


@pytest.fixture(scope="module")
def words() -> np.ndarray:
    return np.zeros(2, np.uint32)


@given(
    width=st.sampled_from([32, 64]),
    value=st.integers(0, (1 << 64) - 1),
    high=st.integers(0, 63),
    low=st.integers(0, 63),
    new=st.integers(0, (1 << 64) - 1),
)
@settings(max_examples=60)
def test_bits_of_a_register(words: np.ndarray, width: int, value: int, high: int, low: int, new: int) -> None:
    """Against a string of bits, which is written with the highest first."""
    high, low, value = high % width, low % width, value % (1 << width)
    register = Register(0, width, buffer=words)
    register[:] = value
    assert int(register) == register[:] == value
    bits = f"{value:0{width}b}"[::-1]  # bit 0 first
    chosen = bits[low : high + 1][::-1] if high >= low else bits[high : low + 1]
    assert register[high:low] == int(chosen, 2)
    assert register[low] == int(bits[low])
    count = abs(high - low) + 1
    assert Register.count(slice(high, low), width) == count
    register[high:low] = new % (1 << count)
    assert register[high:low] == new % (1 << count)
    kept = ~(((1 << count) - 1) << min(high, low))
    assert int(register) & kept == value & kept


def test_registers_on_the_bus(board: gapless.Board) -> None:
    register = Register(LEDS + 4)  # GPIO_TRI, 4 pins
    register[3:0] = 0b1010
    assert (board.bus.read32(LEDS + 4), str(register), hex(register)) == (0b1010, "0xa", "0xa")
    assert [register[bit] for bit in range(5)] == [0, 1, 0, 1, 0]
    register[0] = 1
    assert repr(register) == "Register(value=11)"
    for index in (32, -1, slice(32, 0), slice(3, 0, 2)):
        with pytest.raises(ValueError, match=r"Slicing"):
            _ = register[index]
    for value in (16, -1):
        with pytest.raises(BadArgumentError, match="does not fit 4 bits"):
            register[3:0] = value
    with pytest.raises(BadArgumentError, match="32 or 64"):
        Register(LEDS, 16)
    with pytest.raises(BadArgumentError, match="more than is there"):
        Register(0, 64, buffer=bytearray(4))


def test_the_register_map_of_an_ip(board: gapless.Board) -> None:
    leds = Overlay("pynq_tutorial.bit").leds_gpio
    leds.register_map.GPIO_TRI = 0b0011
    assert leds.mmio.read(4) == 0b0011
    leds.register_map.GPIO_TRI[0] = 0
    assert int(leds.register_map.GPIO_TRI) == leds.read(4) == 0b0010
    leds.register_map.IP_IER.Channel_2_Interrupt_Enable = 1
    assert leds.read(0x128) == 2
    assert "IP_IER = Register(Channel_1_Interrupt_Enable=0, Channel_2_Interrupt_Enable=1)" in repr(leds.register_map)
    assert "GPIO_DATA" in dir(leds.register_map)
    assert leds.register_map is leds.register_map  # loops ask for it at every look
    send = Overlay("pynq_tutorial.bit").axi_dma_from_ps_to_pl.register_map
    send.MM2S_DMACR.RS = 1
    assert send.MM2S_DMASR.Halted == 0
    send.MM2S_DMACR.RS = 0
    assert board.dma("axi_dma_from_ps_to_pl").mm2s.status & 1


def test_a_name_that_is_no_register(board: gapless.Board) -> None:
    """PYNQ: ``ip.register_map.CRTL = 1`` sets an attribute of the object, and the IP does nothing."""
    leds = Overlay("pynq_tutorial.bit").leds_gpio
    with pytest.raises(UnknownNameError, match="no register 'GPIO_TIR': there is GPIO_DATA, GPIO_TRI"):
        leds.register_map.GPIO_TIR = 1
    with pytest.raises(AttributeError, match="GPIO_TIR"):
        _ = leds.register_map.GPIO_TIR


def test_a_register_map_of_ones_own() -> None:
    field = {"access": "read-only", "bit_offset": 4, "bit_width": 3, "description": "x"}
    status = {"address_offset": 4, "access": "read-only", "size": 32, "description": "s", "fields": {"2 x": field}}
    wide = {"address_offset": 8, "access": "read-write", "size": 64, "description": "w"}
    kind = RegisterMap.create_subclass("core", {"status": status, "wide": wide})
    buffer = bytearray(16)
    buffer[4] = 0x5F
    found = kind(buffer)
    assert found.status.r2_x == 5
    found.wide = 0x0123_4567_89AB_CDEF
    assert buffer[8:] == 0x0123_4567_89AB_CDEF.to_bytes(8, "little")
    for write in (lambda: setattr(found, "status", 1), lambda: setattr(found.status, "r2_x", 1)):
        with pytest.raises(AttributeError):
            write()
    secret = {**status, "fields": {"key": {**field, "access": "write-only"}, "x": field}}
    assert repr(RegisterMap.create_subclass("core", {"s": secret})(buffer).s) == "Register(key=write-only, x=5)"
    with pytest.raises(RuntimeError, match="create_subclass"):
        RegisterMap(buffer)
    with pytest.raises(BadArgumentError, match="at most 64 bits"):
        RegisterMap.create_subclass("core", {"long": {**wide, "size": 128}})


def test_an_ip_that_nothing_describes(board: gapless.Board) -> None:
    ip = DefaultIP({"phys_addr": BTNS, "addr_range": 0x1000})
    assert ip.read(4) == 0xF
    with pytest.raises(AttributeError, match="nothing here describes"):
        _ = ip.register_map
    with pytest.raises(BadArgumentError, match="ip_dict"):
        DefaultIP({"base": 0})
