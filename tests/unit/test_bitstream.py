"""Bitstream files: what headers say, either byte order, and everything that is not a whole bitstream."""

from __future__ import annotations

import contextlib
import json
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitstreams import IDCODE, bit, swapped, words
from gapless.boards.bitstream import Bitstream
from gapless.boards.designs import DESIGNS, DEVICES, find_design
from gapless.boards.detection import KNOWN
from gapless.boards.zcu111 import zcu111
from gapless.cli import main
from gapless.errors import BadArgumentError, GaplessError, UnknownNameError

WORDS = words()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "top.bit"


def load(file: Path, data: bytes) -> Bitstream:
    file.write_bytes(data)
    return Bitstream.load(file)


def test_a_bit_file(file):
    found = load(file, bit(WORDS, design="top;COMPRESS=TRUE;UserID=0XFFFFFFFF;Version=2022.1"))
    assert (found.format, found.design, found.part) == ("bit", "top", "xczu28dr-ffvg1517-2-e")
    assert (found.date, found.time) == ("2024/02/29", "12:34:56")
    assert found.attributes == {"COMPRESS": "TRUE", "UserID": "0XFFFFFFFF", "Version": "2022.1"}
    assert (found.compressed, found.partial, found.encrypted) == (True, False, False)
    assert (found.byte_order, found.idcode, found.nbytes) == ("big", IDCODE, len(WORDS))
    assert found.payload("big") == WORDS
    assert found.payload() == found.payload("little") == swapped(WORDS)
    assert bytes.fromhex("665599aa") in found.payload()


@pytest.mark.parametrize(("order", "data"), [("big", WORDS), ("little", swapped(WORDS))])
def test_a_bin_file_of_either_order(tmp_path, order, data):
    found = load(tmp_path / "thing.v2.bin", data)
    assert (found.format, found.byte_order, found.design, found.part) == ("bin", order, "thing.v2", "")
    assert found.idcode == IDCODE
    assert found.payload("little") == swapped(WORDS)
    assert found.payload("big") == WORDS
    found.check_device("any", "xczu9eg")  # nothing is known: the device itself checks the IDCODE


def test_a_bit_file_with_swapped_words(file):
    assert load(file, bit(swapped(WORDS))).payload("big") == WORDS


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0;"), max_size=40)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(design=texts, part=texts, date=texts, time=texts, frames=st.integers(0, 40), idcode=st.integers(0, 2**32 - 1))
def test_headers_round_trip(file, design, part, date, time, frames, idcode):
    data = words(frames=frames, idcode=idcode)
    found = load(file, bit(data, design=f"{design};UserID=1", part=part, date=date, time=time))
    assert (found.design, found.part, found.date, found.time) == (design, part, date, time)
    assert found.attributes == {"UserID": "1"}
    assert (found.idcode, found.payload("big")) == (idcode, data)


@pytest.mark.parametrize("whole", [bit(WORDS), WORDS, swapped(WORDS)], ids=["bit", "bin", "swapped"])
def test_every_truncation_is_refused(file, whole):
    tail = 4 * 8  # words that do nothing, after the last command
    for length in range(len(whole) - tail):
        with pytest.raises(BadArgumentError):
            load(file, whole[:length])
    with pytest.raises(BadArgumentError, match="cut short"):
        load(file, whole[: len(whole) - tail - 4])


def test_a_bit_file_is_refused_when_one_byte_is_missing_or_too_many(file):
    whole = bit(WORDS)
    with pytest.raises(BadArgumentError, match=rf"cut short: {len(WORDS) - 1} bytes after the header, which says"):
        load(file, whole[:-1])
    with pytest.raises(BadArgumentError, match="more than a bitstream"):
        load(file, whole + b"\0")
    with pytest.raises(BadArgumentError, match="ends in its header, after 30 bytes"):
        load(file, whole[:30])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.data())
def test_whatever_the_bytes_nothing_but_gapless_errors(file, data):
    whole = bytearray(data.draw(st.sampled_from([bit(WORDS), WORDS])))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, min(len(whole), 250) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(GaplessError):
        load(file, bytes(whole)).payload()


@pytest.mark.parametrize("data", [b"", b"\x7fELF" + bytes(8000), b"x" * 5000, bytes(5000) + WORDS, b"1" + WORDS])
def test_no_bitstream(file, data):
    with pytest.raises(BadArgumentError, match="is no bitstream: neither AA995566 nor 665599AA"):
        load(file, data)


def test_a_boot_image_is_told_from_a_bitstream(file):
    image = bytearray(WORDS + bytes(4096))
    image[0x20:0x28] = struct.pack("<II", 0xAA99_5566, 0x584C_4E58)  # UG1283, offsets 0x20 and 0x24
    with pytest.raises(BadArgumentError, match=r"boot image.*-process_bitstream bin"):
        load(file, bytes(image))


def test_encrypted(file):
    found = load(file, bit(words(encrypted=True)))
    assert found.encrypted
    with pytest.raises(BadArgumentError, match="is encrypted"):
        find_design(zcu111(), file)


@pytest.mark.parametrize("value", [0x40, 0xFF])
def test_encrypted_by_the_control_register(file, value):
    at = WORDS.index(bytes.fromhex("30018001"))
    stream = WORDS[:at] + struct.pack(">II", 0x3000_A001, value) + WORDS[at:]
    assert load(file, stream).encrypted
    assert not load(
        file, stream.replace(struct.pack(">II", 0x3000_A001, value), bytes.fromhex("3000A00100000001"))
    ).encrypted


def test_partial(file):
    assert load(file, bit(WORDS, design="rm;PARTIAL=TRUE;UserID=0XFFFFFFFF;Version=2022.1")).partial


def test_no_file_and_no_right_to_it(tmp_path):
    with pytest.raises(BadArgumentError, match="no such file"):
        Bitstream.load(tmp_path / "none.bit")
    with pytest.raises(BadArgumentError, match="directory"):
        Bitstream.load(tmp_path)
    with open(tmp_path / "huge.bit", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(BadArgumentError, match="1 TiB: no bitstream is that large"):
        Bitstream.load(tmp_path / "huge.bit")


@pytest.mark.parametrize(
    "part", ["xczu28dr-ffvg1517-2-e", "XCZU28DR-FFVG1517-2-E", "xqzu28dr-ffrg1517-1-i", "zu28drffvg1517"]
)
def test_the_part_of_the_board(file, part):
    load(file, bit(WORDS, part=part)).check_device("ZCU111", "xczu28dr")
    with pytest.raises(BadArgumentError, match=rf"is for {part}; ZCU102 has xczu9eg") as caught:
        load(file, bit(WORDS, part=part)).check_device("ZCU102", DEVICES["zcu102"])
    assert str(file) in str(caught.value)


def test_a_wrong_byte_order_is_wrong_use(file):
    with pytest.raises(BadArgumentError, match="big or little"):
        load(file, WORDS).payload("middle")


def test_a_virtual_board_selects_a_design(tmp_path):
    spec = zcu111()
    name = DESIGNS["zcu111"][0]
    by_header, by_name = tmp_path / "top.bit", tmp_path / f"{name}.bin"
    by_header.write_bytes(bit(WORDS, design=f"{name};UserID=0"))
    by_name.write_bytes(WORDS)
    for path in (by_header, by_name, tmp_path / "missing" / f"{name}.bit", name):
        assert find_design(spec, path).name == name
    with pytest.raises(UnknownNameError, match=r"no file .*radar\.bit and no design .* called 'radar': there is awg"):
        find_design(spec, tmp_path / "radar.bit")
    by_header.write_bytes(bit(WORDS, design="radar;UserID=0"))
    with pytest.raises(UnknownNameError, match=r"^no design of the virtual zcu111 called 'radar': there is awg"):
        find_design(spec, by_header)
    by_header.write_bytes(bit(WORDS, part="xczu9eg-ffvb1156-2-e"))
    with pytest.raises(BadArgumentError, match=r"is for xczu9eg-ffvb1156-2-e; .*ZCU111 has xczu28dr"):
        find_design(spec, by_header)


@pytest.mark.parametrize("known", [known for known in KNOWN if known.designs], ids=lambda known: known.name)
def test_a_design_has_one_name_on_the_virtual_and_on_the_real_board(known):
    assert set(DESIGNS[known.name]) == set(known.designs)


def test_gapless_load(file, capsys):
    file.write_bytes(bit(WORDS, design="awg;UserID=0XFFFFFFFF;Version=2022.1"))
    assert main(["load", str(file)]) == 0
    assert capsys.readouterr().out == "virtual:zcu111: design awg is operating\n"
    assert main(["load", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "board": "virtual:zcu111",
        "file": str(file),
        "design": "awg",
        "state": "operating",
        "seconds": 0.0,
    }
    assert main(["load", str(file), "--info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == Bitstream.load(file).as_dict()
    assert main(["load", str(file), "--info"]) == 0
    shown = capsys.readouterr().out
    for text in (
        "awg",
        "xczu28dr-ffvg1517-2-e, IDCODE 0x147E0093",
        "2024/02/29 12:34:56",
        "big-endian",
        "full",
    ):
        assert text in shown
    file.write_bytes(bit(WORDS)[:-1])
    for options in ([], ["--info"]):
        assert main(["load", str(file), *options]) == 2
        assert "cut short" in capsys.readouterr().err
