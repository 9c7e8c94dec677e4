"""gapless iop, as it is typed."""

from __future__ import annotations

import json
import struct

import pytest

from gapless.cli.app import run

FILL = "iop run tutorial --buffer 64 --word 1=5 --word 2=10 --word 0=buffer"


def elf(machine: int = 189, *, order: str = "<", kind: int = 2, size: int = 8, address: int = 0) -> bytes:
    """An ELF executable of one segment: two words of ``brai 0``, as the ABI lays it out."""
    code = struct.pack("<2I", 0xB8080000, 0xB8080000)[:size].ljust(min(size, 8), b"\0")
    header = b"\x7fELF" + bytes([1, 1 if order == "<" else 2, 1]) + bytes(9)
    header += struct.pack(order + "HHIIIIIHHHHHH", kind, machine, 1, address, 52, 0, 0, 52, 32, 1, 40, 0, 0)
    segment = struct.pack(order + "8I", 1, 84, address, address, len(code), size, 5, 4)
    return header + segment + code


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "large.bin").write_bytes(bytes(65540))
    (tmp_path / "huge.bin").write_bytes(b"\1" * (17 << 20))
    (tmp_path / "empty.bin").touch()
    (tmp_path / "ok.elf").write_bytes(elf())
    (tmp_path / "old.elf").write_bytes(elf(0xBAAB))
    (tmp_path / "x86.elf").write_bytes(elf(62))
    (tmp_path / "big-endian.elf").write_bytes(elf(order=">"))
    (tmp_path / "cut.elf").write_bytes(elf()[:60])
    (tmp_path / "far.elf").write_bytes(elf(address=0x2000_0000))
    (tmp_path / "wide.elf").write_bytes(elf(size=70000))


def test_json(capsys):
    assert run([*FILL.split(), "--trace", "--profile", "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    assert (got["firmware"], got["iop"], got["state"], got["fault"], got["findings"]) == (
        "tutorial",
        "iop1",
        "settled",
        None,
        [],
    )
    assert got["mailbox"] == {"1": 5, "2": 10}
    assert got["buffer"]["words"] == [*range(5, 15), 0, 0, 0, 0, 0, 0]
    stores = got["trace"]["records"]
    first = got["buffer"]["physical_address"] | 0x2000_0000
    assert [(row["address"], row["value"]) for row in stores] == [
        *((first + 4 * place, 5 + place) for place in range(10)),
        (0xF000, 0),
    ]
    assert all(row["text"].startswith("sw") for row in stores)
    assert got["trace"]["dropped"] == 0
    assert got["profile"][0]["count"] == 10  # the store takes most
    assert got["profile"][0]["cycles"] == 10 * 20
    assert 0 < got["profile"][0]["share"] < 1
    assert got["seconds"] == pytest.approx(0.0101, abs=1e-5)


def test_in_words(capsys):
    assert run([*FILL.split(), "--trace", "--profile"]) == 0
    out = capsys.readouterr().out
    assert "it waits at PC 0x" in out
    assert "5 6 7 8 9 10 11 12 13 14" in out
    assert out.count("swi") >= 11
    assert "share" in out


def test_a_crash_is_status_1_and_says_where(capsys):
    assert run(["iop", "run", "tutorial", "--word", "2=1", "--word", "0=0x1000_0000", "--json"]) == 1
    got = json.loads(capsys.readouterr().out)
    assert got["state"] == "faulted"
    assert got["fault"]["kind"] == "refused"
    assert "would overwrite physical 0x10000000" in got["fault"]["text"]
    assert run(["iop", "run", "tutorial", "--word", "2=1", "--word", "0=0x1000_0000"]) == 1
    assert "it crashed at PC" in capsys.readouterr().out


def test_other_boards_and_processors(capsys):
    assert run([*FILL.split(), "--iop", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["iop"] == "iop2"
    assert run([*FILL.split(), "--board", "virtual:zcu111", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["buffer"]["words"][:3] == [5, 6, 7]


@pytest.mark.parametrize("name", ["ok.elf", "old.elf"])
def test_an_elf_file(capsys, name):
    assert run(["iop", "run", name, "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    assert (got["bytes"], got["state"], got["pc"]) == (8, "settled", 0)


def test_disasm(capsys):
    assert run(["iop", "disasm", "tutorial", "--start", "0x50", "--count", "2"]) == 0
    assert capsys.readouterr().out.split() == [
        "50:",
        "b0000000",
        "imm",
        "0",
        "54:",
        "3020efe0",
        "addik",
        "r1,",
        "r0,",
        "-4128",
        "//",
        "0xefe0",
    ]
    assert run(["iop", "disasm", "tutorial", "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    assert len(got["instructions"]) == got["bytes"] // 4
    assert got["instructions"][0] == {"address": 0, "opcode": "b8080050", "text": "brai 80  // 0x50"}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("iop run large.bin", "has 65540 bytes: iop1 has 65536 (64 KiB) of local memory"),
        ("iop run wide.elf", "has 70000 bytes: iop1 has 65536"),
        ("iop run huge.bin", "are no program"),
        ("iop run empty.bin", "is empty"),
        ("iop run nothing.bin", "No such file"),
        ("iop run nothing", "programs of ours are tutorial, memory_test"),
        ("iop run .", "Is a directory"),
        ("iop run x86.elf", "gapless: x86.elf is for X86_64"),
        ("iop run big-endian.elf", "big-endian; a program is for MICROBLAZE, 32 bits, little-endian"),
        ("iop run cut.elf", "damaged ELF file"),
        ("iop run far.elf", "gapless: far.elf has 8 bytes at 0x20000000: a program lies in the local memory"),
        ("iop run tutorial --iop 3", "no IOP 3: there is 1, 2"),
        ("iop run tutorial --board virtual:zcu111 --iop 2", "no IOP 2: there is 1"),
        ("iop run tutorial --word 1024=1", "word 1024 of the mailbox of iop1: it has words 0 to 1023"),
        ("iop run tutorial --word -1=1", "word -1 of the mailbox"),
        ("iop run tutorial --word 0=0x100000000", "does not fit"),
        ("iop run tutorial --word 0", "it is INDEX=VALUE"),
        ("iop run tutorial --word x=1", "it is INDEX=VALUE"),
        ("iop run tutorial --word 0=buffer", "--buffer SIZE allocates one"),
        ("iop run tutorial --buffer 1GiB", "asked 1 GiB in ps-cma"),
        ("iop run tutorial --buffer x", "not understood"),
        ("iop run tutorial --seconds -1", "not understood"),
        ("iop disasm large.bin --start 3", "a multiple of 4"),
        ("iop disasm tutorial --start 0x10000", "below"),
        ("iop disasm tutorial --count 0", "--count"),
        ("iop nothing", "nothing"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(capsys, command, words):
    assert run(command.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("gapless: ")
    assert captured.err.count("\n") == 1
    assert words in captured.err
