"""What is no hand-off: one clear error each, and nothing else that a file can do to a program."""

from __future__ import annotations

import contextlib
import time
import zipfile
from pathlib import Path

import pytest
from handoffs import MPSOC, Handoff
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gapless.boards.handoff import Design
from gapless.errors import AccessDeniedError, BadArgumentError


def fails(path, *words):
    """That loading ``path`` is one error that names the file and has these words."""
    with pytest.raises(BadArgumentError) as caught:
        Design.load(path)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    for word in words:
        assert word in message


def written(tmp_path, data, name="tiny.hwh"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_missing_files(tmp_path):
    fails(tmp_path / "base.hwh", "no such file")
    fails(tmp_path / "base.xsa", "no such file")
    fails(tmp_path / "base.bit", "has no base.hwh beside it", "copy the .hwh")
    (tmp_path / "base.bit").write_bytes(b"bits")
    fails(tmp_path / "base.bit", "has no base.hwh beside it")


def test_other_files(tmp_path):
    fails(written(tmp_path, "x", "design.tcl"), ".hwh", ".bit", ".xsa")
    (tmp_path / "folder.hwh").mkdir()
    fails(tmp_path / "folder.hwh", "cannot be read")


def test_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    path = written(tmp_path, Handoff().text())
    monkeypatch.setattr(Path, "read_bytes", refuse)  # root, who may run this, may read everything
    with pytest.raises(AccessDeniedError, match=r"tiny\.hwh may not be read by this user: Permission denied"):
        Design.load(path)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_truncated(tmp_path, share):
    text = Handoff().block("leds", "axi_gpio").text()
    fails(written(tmp_path, text[: int(len(text) * share)]), "is cut short", "line")


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"a report", "is no XML: it does not begin with <"),
        (b"\x00\x09\x0f\xf0\x0f\xf0", "is no XML"),
        (b"\x1f\x8b\x08\x00\x80\x81", "is no XML: byte"),
        (b"<EDKSYSTEM><MODULES></EDKSYSTEM>", "mismatched tag, line 1"),
        (b"<EDKSYSTEM>\x00</EDKSYSTEM>", "is no XML"),
        ("<EDKSYSTEM/>".encode("utf-16"), "is no XML"),
        (b"<html><body/></html>", "is XML, but no hardware hand-off"),
    ],
)
def test_not_a_hand_off(tmp_path, data, word):
    fails(written(tmp_path, data), word)


def test_hand_off_of_no_zynq(tmp_path):
    fails(written(tmp_path, "<EDKSYSTEM/>"), "has no blocks of kind", "processing_system7")
    fails(Handoff("versal_cips").save(tmp_path / "tiny.hwh"), "has no blocks of kind")
    fails(Handoff().block("ps2", MPSOC).save(tmp_path / "tiny.hwh"), "has 2 blocks of kind")


def test_two_blocks_at_one_address(tmp_path):
    handoff = Handoff().block("video/leds", "axi_gpio").block("timer", "axi_timer").block("far", "axi_timer")
    handoff.address("video/leds", 0x4120_0000, 0x1_0000).address("far", 0x4121_0000, 0x1_0000)
    Design.load(handoff.save(tmp_path / "tiny.hwh"))
    handoff.address("timer", 0x4120_FFFF, 1)
    fails(handoff.save(tmp_path / "tiny.hwh"), "video/leds and timer are both at 0x4120_FFFF", "Address Editor")


def test_two_blocks_where_one_holds_a_third(tmp_path):
    handoff = Handoff().block("big", "axi_bram_ctrl").block("small", "axi_gpio")
    handoff.address("big", 0x4000_0000, 0x10_0000).address("big", 0x4000_1000, 0x1000, interface="S_AXI2")
    Design.load(handoff.save(tmp_path / "tiny.hwh"))
    fails(handoff.address("small", 0x4008_0000, 0x1000).save(tmp_path / "tiny.hwh"), "big and small are both at")


def test_two_blocks_of_one_name(tmp_path):
    handoff = Handoff().block("leds", "axi_gpio").block("leds", "axi_gpio", INSTANCE="other")
    fails(handoff.save(tmp_path / "tiny.hwh"), "two blocks called leds")


def changed(tmp_path, old, new):
    text = Handoff().block("leds", "axi_gpio").address("leds", 0x4120_0000, 0x1_0000).text()
    assert old in text
    return written(tmp_path, text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('BASEVALUE="0x41200000"', 'BASEVALUE="here"', "BASEVALUE is 'here'"),
        ('BASEVALUE="0x41200000"', "", "BASEVALUE is None"),
        ('HIGHVALUE="0x4120FFFF"', 'HIGHVALUE="0x4110FFFF"', "before their first"),
        ('FULLNAME="/leds"', "", "a MODULE has no FULLNAME"),
        ('INSTANCE="leds" MASTER', "MASTER", "a MEMRANGE has no INSTANCE"),
    ],
)
def test_attributes_that_make_no_sense(tmp_path, old, new, word):
    with pytest.raises(BadArgumentError) as caught:
        Design.load(changed(tmp_path, old, new))
    assert word in str(caught.value)


def test_pin_that_would_fill_the_memory(tmp_path):
    handoff = Handoff().block("ip", "ip").pin("ip/q", "O", "irqs", 1 << 40).pin("ps/IRQ_F2P", "I", "irqs", 16)
    with pytest.raises(BadArgumentError, match="none is wider"):
        Design.load(handoff.save(tmp_path / "tiny.hwh"))


def test_concatenations_that_double_end_soon(tmp_path):
    handoff = Handoff().block("ip", "ip").pin("ip/q", "O", "n0")
    for level in range(60):
        handoff.concat(f"c{level}", [(f"n{level}", 1 << min(level, 16))] * 2, f"n{level + 1}")
    handoff.pin("ps/IRQ_F2P", "I", "n60", 16)
    for pin in handoff.root.iter("PORT"):  # as wide as a pin may be
        if int(pin.get("LEFT", "0")) > 65535:
            pin.set("LEFT", "65535")
    start = time.monotonic()
    assert len(Design.load(handoff.save(tmp_path / "tiny.hwh")).interrupts) == 1
    assert time.monotonic() - start < 5


BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)


@pytest.mark.parametrize("dtd", [BOMB, '<!DOCTYPE a SYSTEM "file:///etc/passwd">', "<!DOCTYPE EDKSYSTEM>"])
def test_a_document_type_is_refused(tmp_path, dtd):
    fails(written(tmp_path, f'<?xml version="1.0"?>\n{dtd}<EDKSYSTEM>&c;</EDKSYSTEM>'), "document type (DTD)")


def test_a_document_type_in_another_encoding_is_refused(tmp_path):
    text = f'<?xml version="1.0" encoding="UTF-16"?>\n{BOMB}<EDKSYSTEM>&c;</EDKSYSTEM>'
    fails(written(tmp_path, text.encode("utf-16")), "is no XML")
    # Said to be in an encoding in which these bytes would be other characters.
    declared = text.replace("UTF-16", "utf-7").replace("<!DOCTYPE", "+ADwAIQ-DOCTYPE")
    fails(written(tmp_path, declared), "is no XML")


# ---- archives


def xsa(tmp_path, members, name="tiny.xsa"):
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return tmp_path / name


def test_xsa_that_is_no_zip_or_not_the_whole_of_one(tmp_path):
    fails(written(tmp_path, Handoff().text(), "tiny.xsa"), "is no .xsa, which is a zip archive")
    fails(written(tmp_path, "", "tiny.xsa"), "is no .xsa")
    whole = xsa(tmp_path, {"top.hwh": Handoff().text()}).read_bytes()
    fails(written(tmp_path, whole[:-30], "tiny.xsa"), "is no .xsa", "not the whole")
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF  # in the compressed data
    fails(written(tmp_path, bytes(damaged), "tiny.xsa"), "is no .xsa")


def test_xsa_without_a_hand_off(tmp_path):
    fails(xsa(tmp_path, {"sysdef.xml": "<Project/>", "top.bit": "bits"}), "has no .hwh in it", "write_hw_platform")


def test_xsa_that_does_not_say_which_is_the_top(tmp_path):
    members = {"a.hwh": Handoff().text(), "b.hwh": Handoff().text()}
    fails(xsa(tmp_path, members), "a.hwh, b.hwh", "top design")
    both = "".join(f"<File Name='{name}' BD_TYPE='DEFAULT_BD'/>" for name in members)
    fails(xsa(tmp_path, members | {"sysdef.xml": f"<Project>{both}</Project>"}), "a.hwh, b.hwh")
    # A name that is not in the archive is not looked for elsewhere.
    outside = "<Project><File Name='../a.hwh' BD_TYPE='DEFAULT_BD'/></Project>"
    fails(xsa(tmp_path, members | {"sysdef.xml": outside}), "a.hwh, b.hwh")


def test_damage_inside_an_xsa_names_the_member(tmp_path):
    fails(xsa(tmp_path, {"top.hwh": "<EDKSYSTEM>"}), "tiny.xsa, top.hwh is cut short")
    fails(xsa(tmp_path, {"top.hwh": Handoff().text(), "sysdef.xml": BOMB}), "sysdef.xml has a document type")


def test_archive_that_unpacks_to_more_than_any_hand_off(tmp_path):
    fails(xsa(tmp_path, {"top.hwh": b" " * (65 << 20)}), "top.hwh has 65 MiB")


def test_archive_packed_in_another_way(tmp_path):
    with zipfile.ZipFile(tmp_path / "tiny.xsa", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("top.hwh", Handoff().text())
    fails(tmp_path / "tiny.xsa", "top.hwh is compressed in a way")


def test_elements_in_elements_without_end(tmp_path):
    text = Handoff().text().replace("</MODULES>", "<M>" * 100_000 + "</M>" * 100_000 + "</MODULES>")
    assert Design.load(written(tmp_path, text)).ps == "ps"


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_never_raise_anything_else(tmp_path, data):
    text = Handoff().block("leds", "axi_gpio").address("leds", 0x4120_0000, 0x1_0000)
    whole = bytearray(text.concat("c", [("a", 1)], "b").pin("ps/IRQ_F2P", "I", "b").text().encode())
    with contextlib.suppress(BadArgumentError):
        Design.load(written(tmp_path, damage(whole, data)))


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_archives_never_raise_anything_else(tmp_path, data):
    whole = bytearray(xsa(tmp_path, {"top.hwh": Handoff().text(), "sysdef.xml": "<Project/>"}).read_bytes())
    with contextlib.suppress(BadArgumentError):
        Design.load(written(tmp_path, damage(whole, data), "tiny.xsa"))


def damage(whole, data):
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    return bytes(whole)
