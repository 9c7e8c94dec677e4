"""The FPGA manager, with a tree for /sys and a thread for the kernel."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

from bitstreams import bit, swapped, words
from gapless.boards import fpga_manager
from gapless.boards.bitstream import Bitstream
from gapless.boards.designs import load_bitstream
from gapless.boards.fpga_manager import FpgaManager
from gapless.boards.overlay import find_region, make_overlay
from gapless.boards.zcu111 import zcu111
from gapless.errors import AccessDeniedError, BadArgumentError, FpgaLoadError, UnsupportedError, WaitTimeoutError

WORDS = words()


class Kernel:
    """Reads the name of the firmware from a FIFO, which blocks the writer until then, and goes through states."""

    def __init__(
        self, root: Path, states=("write init", "write", "write complete", "operating"), status: str = ""
    ) -> None:
        self.root, self.states, self.status = root, states, status
        self.manager = root / "sys/class/fpga_manager/fpga0"
        self.loaded: bytes | None = None
        self.flags = ""
        set_file(self.manager / "state", "firmware request\n")
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        name = (self.manager / "firmware").read_text()
        parameter = self.root / "sys/module/firmware_class/parameters/path"
        folder = parameter.read_text().strip() if parameter.exists() else "/lib/firmware"
        self.loaded = (self.root / folder.lstrip("/") / name).read_bytes()
        self.flags = (self.manager / "flags").read_text()
        for state in self.states:
            time.sleep(0.02)
            set_file(self.manager / "state", state + "\n")

    def join(self) -> None:
        self.thread.join(5)


def set_file(path: Path, text: str) -> None:
    """At once: a reader sees the old text or the new."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    manager = tmp_path / "sys/class/fpga_manager/fpga0"
    manager.mkdir(parents=True)
    (manager / "name").write_text("Xilinx ZynqMP FPGA Manager\n")
    (manager / "state").write_text("unknown\n")
    (manager / "status").write_text("")
    (manager / "flags").write_text("0")
    os.mkfifo(manager / "firmware")
    (tmp_path / "lib/firmware").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "top.bit"
    file.write_bytes(bit(WORDS))
    return file


def firmware(root: Path) -> list[str]:
    return [path.name for path in (root / "lib/firmware").iterdir()]


def test_loading(root, file):
    kernel = Kernel(root)
    loaded = load_bitstream(zcu111(), file, root)
    kernel.join()
    assert kernel.loaded == swapped(WORDS)
    assert kernel.flags == "0"
    assert (loaded.design, loaded.state) == ("awg", "operating")
    assert 0.05 < loaded.seconds < 5
    assert firmware(root) == []


@pytest.mark.parametrize("by_header", [True, False])
def test_a_partial_bitstream_sets_the_flag(root, file, by_header):
    if by_header:
        file.write_bytes(bit(WORDS, design="rm;PARTIAL=TRUE"))
    kernel = Kernel(root)
    load_bitstream(zcu111(), file, root, partial=not by_header)
    kernel.join()
    assert kernel.flags == "1"
    kernel = Kernel(root)
    file.write_bytes(bit(WORDS))
    load_bitstream(zcu111(), file, root)
    kernel.join()
    assert kernel.flags == "0"


def test_where_the_kernel_looks_for_firmware(root, file):
    parameter = root / "sys/module/firmware_class/parameters/path"
    parameter.parent.mkdir(parents=True)
    parameter.write_text("/run/firmware\n")
    kernel = Kernel(root)
    load_bitstream(zcu111(), file, root)
    kernel.join()
    assert kernel.loaded == swapped(WORDS)
    assert list((root / "run/firmware").iterdir()) == []


@pytest.mark.parametrize("state", ["firmware request error", "write init error", "write error", "write complete error"])
def test_a_state_of_error(root, file, state):
    (root / "sys/class/fpga_manager/fpga0/status").write_text("reconfig CRC error\nreconfig security error\n")
    kernel = Kernel(root, states=("write", state))
    with pytest.raises(
        FpgaLoadError, match=f"'{state}', reconfig CRC error; reconfig security error; .*dmesg"
    ) as caught:
        load_bitstream(zcu111(), file, root)
    kernel.join()
    assert (caught.value.state, caught.value.status) == (state, "reconfig CRC error; reconfig security error")
    assert "xczu28dr" in str(caught.value)
    assert firmware(root) == []


def test_the_kernel_refuses_the_write(root, file, monkeypatch):
    # A FIFO cannot fail as the attribute does: write() returns what the driver returned.
    (root / "sys/class/fpga_manager/fpga0/state").write_text("write init error\n")

    def refuse(path, data):
        if path.name == "firmware":
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(fpga_manager, "_put", refuse)
    with pytest.raises(FpgaLoadError, match="Invalid argument, state 'write init error'"):
        load_bitstream(zcu111(), file, root)
    assert firmware(root) == []


def test_a_kernel_that_does_not_end(root, file):
    manager, bitstream = FpgaManager(root), Bitstream.load(file)
    began = time.monotonic()
    with pytest.raises(WaitTimeoutError, match=r"waited 0\.2 s for the kernel to load .*top\.bit"):
        manager.load(bitstream, timeout=0.2)  # nobody reads
    assert (root / "sys/class/fpga_manager/fpga0/firmware").read_text().startswith("gapless-")  # ends what waits there
    kernel = Kernel(root, states=("write",))
    with pytest.raises(WaitTimeoutError, match=r"waited 0\.3 s for Xilinx ZynqMP FPGA Manager to run .*'write'"):
        manager.load(bitstream, timeout=0.3)
    assert time.monotonic() - began < 5
    kernel.join()
    assert firmware(root) == []


def test_no_fpga_manager(tmp_path, file):
    with pytest.raises(UnsupportedError, match="CONFIG_FPGA_MGR_ZYNQMP_FPGA"):
        load_bitstream(zcu111(), file, tmp_path)
    (tmp_path / "sys/class/fpga_manager").mkdir(parents=True)
    with pytest.raises(UnsupportedError, match="has no FPGA manager"):
        FpgaManager(tmp_path)


def test_a_kernel_that_cannot_be_asked(root, file):
    (root / "sys/class/fpga_manager/fpga0/firmware").unlink()
    with pytest.raises(UnsupportedError, match=r"linux-xlnx.*CONFIG_OF_CONFIGFS"):
        load_bitstream(zcu111(), file, root)
    assert firmware(root) == []


def test_a_manager_without_flags_loads_no_part(root, file):
    (root / "sys/class/fpga_manager/fpga0/flags").unlink()
    with pytest.raises(UnsupportedError, match="whole bitstreams only"):
        load_bitstream(zcu111(), file, root, partial=True)
    assert firmware(root) == []


def test_the_wrong_part_is_not_even_tried(root, file):
    file.write_bytes(bit(WORDS, part="xczu9eg-ffvb1156-2-e"))
    with pytest.raises(BadArgumentError, match=r"xczu9eg-ffvb1156-2-e; .* has xczu28dr"):
        load_bitstream(zcu111(), file, root)


def as_nobody(work) -> None:
    """Run ``work`` in a child without rights."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setresuid(65534, 65534, 65534)
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="root only: it gives up its rights")
@pytest.mark.parametrize("writable", [False, True])
def test_no_rights(root, file, writable):
    for folder in (root, *root.parents[:-1]):
        folder.chmod(folder.stat().st_mode | 0o055)
    if writable:
        (root / "lib/firmware").chmod(0o777)
    bitstream = Bitstream.load(file)

    def work():
        with pytest.raises(AccessDeniedError, match="loading a bitstream takes root"):
            FpgaManager(root).load(bitstream)

    as_nobody(work)
    assert firmware(root) == []


def test_no_room_for_the_firmware(root, file):
    shutil.rmtree(root / "lib/firmware")
    (root / "lib/firmware").touch()
    with pytest.raises(FpgaLoadError, match="cannot put the bitstream into"):
        load_bitstream(zcu111(), file, root)


class Overlays:
    """Configfs, played by a thread: an overlay that gets its blob is applied, or is not."""

    def __init__(self, root: Path, applied: str = "applied", state: str = "operating") -> None:
        self.root, self.applied, self.state = root, applied, state
        (root / "sys/class/fpga_manager/fpga0/firmware").unlink(missing_ok=True)
        self.folder = root / "sys/kernel/config/device-tree/overlays"
        self.folder.mkdir(parents=True, exist_ok=True)
        region = root / "proc/device-tree/axi/pl@0"
        region.mkdir(parents=True, exist_ok=True)
        (region / "compatible").write_bytes(b"simple-bus\0fpga-region\0")
        self.blob, self.loaded = b"", b""

    def install(self, monkeypatch) -> None:
        """mkdir() of an overlay makes its files, rmdir() removes them; the write acts."""
        mkdir, rmdir = Path.mkdir, Path.rmdir

        def make(path, *args, **options):
            mkdir(path, *args, **options)
            if path.parent == self.folder:
                (path / "status").write_text("unapplied\n")

        def remove(path):
            if path.parent == self.folder:
                for file in path.iterdir():
                    file.unlink()
            rmdir(path)

        def put(path, data):
            self.blob = data
            name = data[data.index(b"gapless-") :].split(b"\0")[0].decode()
            self.loaded = (self.root / "lib/firmware" / name).read_bytes()
            set_file(path.parent / "status", self.applied)
            set_file(self.root / "sys/class/fpga_manager/fpga0/state", self.state)

        monkeypatch.setattr(Path, "mkdir", make)
        monkeypatch.setattr(Path, "rmdir", remove)
        monkeypatch.setattr(fpga_manager, "_put", put)


def test_loading_by_overlay(root, file, monkeypatch):
    overlays = Overlays(root)
    overlays.install(monkeypatch)
    for _ in range(2):  # the second replaces the first
        assert load_bitstream(zcu111(), file, root).state == "operating"
        assert overlays.loaded == swapped(WORDS)
        assert overlays.blob == make_overlay("/axi/pl@0", f"gapless-{os.getpid()}.bin")
        assert [path.name for path in overlays.folder.iterdir()] == ["gapless"]
    assert firmware(root) == []


@pytest.mark.parametrize(("applied", "state"), [("unapplied", "operating"), ("applied", "write error")])
def test_an_overlay_that_fails(root, file, monkeypatch, applied, state):
    overlays = Overlays(root, applied, state)
    overlays.install(monkeypatch)
    with pytest.raises(FpgaLoadError, match=f"state '{state}'"):
        load_bitstream(zcu111(), file, root)
    assert firmware(root) == []
    assert list(overlays.folder.iterdir()) == ([] if applied == "unapplied" else [overlays.folder / "gapless"])


def test_no_region(root, file, monkeypatch):
    overlays = Overlays(root)
    overlays.install(monkeypatch)
    shutil.rmtree(root / "proc/device-tree/axi")
    with pytest.raises(UnsupportedError, match="no fpga-region"):
        load_bitstream(zcu111(), file, root)
    assert firmware(root) == []


def test_find_region_at_the_root_of_the_tree(tmp_path):
    (tmp_path / "fpga-full").mkdir()
    (tmp_path / "fpga-full/compatible").write_bytes(b"fpga-region\0")
    (tmp_path / "aaa").mkdir()
    (tmp_path / "aaa/compatible").write_bytes(b"not-fpga-region\0")
    assert find_region(tmp_path) == "/fpga-full"


def test_the_overlay_is_a_flattened_tree():
    blob = make_overlay("/fpga-full", "x.bin", partial=True)
    fields = struct.unpack_from(">10I", blob)
    assert fields[0] == 0xD00D_FEED
    assert fields[1] == len(blob)
    assert (fields[2] % 4, fields[2] + fields[9], fields[3] + fields[8]) == (0, fields[3], len(blob))


@pytest.mark.skipif(shutil.which("dtc") is None, reason="no device tree compiler (dtc) here")
@pytest.mark.parametrize("partial", [False, True])
def test_the_overlay_as_dtc_reads_it(partial):
    blob = make_overlay("/axi/pl@0", "x.bin", partial=partial)
    text = subprocess.run(
        ["dtc", "-I", "dtb", "-O", "dts"], input=blob, capture_output=True, check=True
    ).stdout.decode()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    flag = ["partial-fpga-config;"] if partial else []
    assert lines == [
        "/dts-v1/;",
        "/ {",
        "fragment@0 {",
        'target-path = "/axi/pl@0";',
        "__overlay__ {",
        'firmware-name = "x.bin";',
        *flag,
        "};",
        "};",
        "};",
    ]
