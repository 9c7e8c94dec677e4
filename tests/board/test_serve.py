"""gapless serve --pynq-remote: each call, and each way to get it wrong."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynq_remote_client import METHODS, Remote, refused, serving

LEDS, DMA_OUT, DMA_IN = 0x4121_0000, 0x4040_0000, 0x4041_0000
IOP = 0x4200_0000  # memory of one, which the other design has not
POOL = 128 << 20


@pytest.fixture(scope="module")
def server():
    with serving("--board", "virtual:pynq-z2?clock=wall") as running:
        yield running
        assert running.stop() == 0


@pytest.fixture(scope="module")
def remote(server):
    with Remote(server.port) as client:
        yield client


def test_it_says_what_board_it_is(remote: Remote) -> None:
    assert remote("remote_device.existsfile", file_path="/proc/version").exists
    (version,) = remote("remote_device.readfile", file_path="/proc/version")
    assert b"armv7l" in version.data
    (name,) = remote("remote_device.readfile", file_path="/proc/device-tree/chosen/pynq_board")
    assert name.data == b"Pynq-Z2\0"
    assert not remote("remote_device.existsfile", file_path="/etc/passwd").exists


def test_registers(remote: Remote) -> None:
    window = remote.window(LEDS, 8)
    remote("mmio.write", mmio_id=window, offset=0, data=b"\x05\0\0\0\x02\0\0\0")  # GPIO_DATA, GPIO_TRI
    assert remote("mmio.read", mmio_id=window, offset=0, length=4).data == 5
    assert remote("mmio.read", mmio_id=window, offset=4, length=4).data == 2
    assert remote.window(LEDS, 8) == window, "a second handle for the same registers"
    assert remote.window(LEDS, 4) != window
    remote.write32(DMA_IN + 0x48, 0x1234_5678)
    low = remote("mmio.read", mmio_id=remote.window(DMA_IN), offset=0x48, length=2)
    assert low.data == 0x5678


def test_a_buffer_there_and_back(remote: Remote) -> None:
    data = bytes(range(256)) * 12289  # 3 MiB and a bit: several messages each way
    buffer = remote.allocate(len(data))
    half = len(data) // 2
    parts = [{"buffer_id": buffer, "data": data[:half]}, {"buffer_id": buffer, "data": data[half:]}]
    remote("buffer.write", parts)
    remote("buffer.flush", buffer_id=buffer)
    remote("buffer.invalidate", buffer_id=buffer)
    assert remote.contents(buffer) == data
    assert remote.contents(buffer, start=1, end=4) == data[1:4]
    remote("buffer.write", [{"buffer_id": buffer, "data": b"xyz", "start": 1, "end": 4}])
    assert remote.contents(buffer, end=6) == data[:1] + b"xyz" + data[4:6]
    address = remote("buffer.physical_address", buffer_id=buffer).address
    assert address % 4096 == 0
    assert address
    assert remote("buffer.virtual_address", buffer_id=buffer).address
    assert remote("buffer.cacheable", buffer_id=buffer).cacheable
    remote("buffer.freebuffer", buffer_id=buffer)
    remote("buffer.freebuffer", buffer_id=buffer)  # as PYNQ does when the object goes
    with refused("NOT_FOUND", "no buffer"):
        remote.contents(buffer)
    again = remote.allocate(len(data))
    assert remote("buffer.physical_address", buffer_id=again).address == address
    assert not any(remote.contents(again)), "nobody sees what others had there"
    remote("buffer.freebuffer", buffer_id=again)


def test_dma_by_registers(remote: Remote) -> None:
    data = bytes(range(256))
    source, sink = remote.allocate(256), remote.allocate(256)
    remote("buffer.write", [{"buffer_id": source, "data": data}])
    for base, at, buffer in ((DMA_IN, 0x30, sink), (DMA_OUT, 0, source)):
        remote.write32(base + at, 1)
        remote.write32(base + at + 0x18, remote("buffer.physical_address", buffer_id=buffer).address)
        remote.write32(base + at + 0x28, 256)
    for _ in range(1000):
        if remote.read32(DMA_IN + 0x34) & 2:
            break
    assert remote.contents(sink) == data
    for buffer in (source, sink):
        remote("buffer.freebuffer", buffer_id=buffer)


def test_64_mib(remote: Remote) -> None:
    size, part = 64 << 20, 2 << 20
    buffer = remote.allocate(size)
    chunks = [bytes([number]) * part for number in range(size // part)]
    remote("buffer.write", [{"buffer_id": buffer, "data": chunk} for chunk in chunks])
    assert remote.contents(buffer) == b"".join(chunks)
    remote("buffer.freebuffer", buffer_id=buffer)


def test_pins(remote: Remote) -> None:
    base = remote("gpio.get_gpio_base_path").base_path
    first = int("".join(filter(str.isdigit, base)))
    assert remote("gpio.get_gpio_npins", target_label="zynq_gpio").npins == 118
    pin = remote("gpio.get_gpio", index=first + 54 + 20, direction="out").gpio_id
    remote("gpio.write", gpio_id=pin, value=1)
    assert remote("gpio.is_exported", gpio_id=pin).is_exported
    with refused("FAILED_PRECONDITION", "cannot be read"):
        remote("gpio.read", gpio_id=pin)
    remote("gpio.unexport", gpio_id=pin)
    assert not remote("gpio.is_exported", gpio_id=pin).is_exported
    pin = remote("gpio.get_gpio", index=first + 54 + 20, direction="in").gpio_id
    assert remote("gpio.read", gpio_id=pin).value in (0, 1)
    with refused("FAILED_PRECONDITION", "cannot be written"):
        remote("gpio.write", gpio_id=pin, value=1)


def test_files_are_in_memory(remote: Remote) -> None:
    for path, size in (("/tmp/a", 5 << 20), ("/tmp//x/../a", 3), ("/lib/firmware/empty.bin", 0)):
        data = b"q" * size
        parts = [data[at : at + (2 << 20)] for at in range(0, max(size, 1), 2 << 20)]
        remote("remote_device.writefile", [{"file_path": path, "data": part} for part in parts])
        assert b"".join(answer.data for answer in remote("remote_device.readfile", file_path=path)) == data
    assert remote("remote_device.existsfile", file_path="/tmp/a").exists
    assert remote("remote_device.existsfile", file_path="/lib/firmware").exists
    with refused("PERMISSION_DENIED", "in memory of its own"):
        remote("remote_device.writefile", [{"file_path": "/tmp/../etc/a", "data": b"a"}])
    name = f"/tmp/gapless-{os.getpid()}-of-a-client"
    remote("remote_device.writefile", [{"file_path": name, "data": b"a"}])
    assert not os.path.exists(name)


def load(remote: Remote, name: str, data: bytes) -> None:
    """As PYNQ's client does."""
    remote("remote_device.set_bitstream_attrs", binfile_name=name, partial=False)
    if not remote("remote_device.existsfile", file_path=f"/lib/firmware/{name}").exists:
        remote("remote_device.writefile", [{"file_path": f"/lib/firmware/{name}", "data": data}])
    manager = "/sys/class/fpga_manager/fpga0"
    remote("remote_device.writefile", [{"file_path": f"{manager}/flags", "data": b"0"}])
    remote("remote_device.writefile", [{"file_path": f"{manager}/firmware", "data": name.encode()}])


def test_loading(remote: Remote) -> None:
    load(remote, "pynq_tutorial.bin", b"frames")
    assert not remote("remote_device.existsfile", file_path="/lib/firmware/pynq_tutorial.bin").exists
    with refused("NOT_FOUND", "dma_loopback"):
        load(remote, "other.bin", b"frames")
    buffer = remote.allocate(64)
    remote("buffer.write", [{"buffer_id": buffer, "data": b"stays"}])
    load(remote, "dma_loopback.bin", b"frames")
    with refused("OUT_OF_RANGE", "no device"):
        remote.read32(IOP)
    assert remote.contents(buffer, end=5) == b"stays", "memory is not in the PL"
    remote("buffer.freebuffer", buffer_id=buffer)
    remote("remote_device.set_bitstream_attrs", binfile_name="pynq_tutorial.bin", partial=False)
    remote("remote_device.download", [{"buffer": b"fra"}, {"buffer": b"mes"}])
    assert remote.read32(IOP) == 0
    assert remote("remote_device.shutdown").status


HUGE = (1 << 64) - 1
WRONG = [
    ("mmio.get_mmio", {"base_addr": LEDS, "length": HUGE}, "INVALID_ARGUMENT", "below 0x"),
    ("mmio.get_mmio", {"base_addr": LEDS, "length": 0}, "INVALID_ARGUMENT", "0x0 bytes"),
    ("mmio.get_mmio", {"base_addr": LEDS + 2, "length": 4}, "INVALID_ARGUMENT", "multiples of 4"),
    ("mmio.read", {"mmio_id": "1:1", "length": 4}, "NOT_FOUND", "no registers '1:1'"),
    ("mmio.read", {"mmio_id": "WINDOW", "length": 3}, "INVALID_ARGUMENT", "1, 2 or 4"),
    ("mmio.read", {"mmio_id": "WINDOW", "length": 8}, "INVALID_ARGUMENT", "two reads"),
    ("mmio.read", {"mmio_id": "WINDOW", "length": HUGE}, "INVALID_ARGUMENT", "1, 2 or 4"),
    ("mmio.read", {"mmio_id": "WINDOW", "length": 4, "offset": 2}, "OUT_OF_RANGE", "multiple of 4"),
    ("mmio.read", {"mmio_id": "WINDOW", "length": 4, "offset": 16}, "OUT_OF_RANGE", "within the 0x10"),
    ("mmio.read", {"mmio_id": "WINDOW", "length": 4, "offset": HUGE - 3}, "OUT_OF_RANGE", "within the 0x10"),
    ("mmio.read", {"mmio_id": "NOTHING", "length": 4}, "OUT_OF_RANGE", "no device"),
    ("mmio.read", {"mmio_id": "BUFFER", "length": 4}, "NOT_FOUND", "no registers"),
    ("mmio.write", {"mmio_id": "WINDOW", "data": b"123"}, "INVALID_ARGUMENT", "3 bytes"),
    ("mmio.write", {"mmio_id": "WINDOW", "data": b""}, "INVALID_ARGUMENT", "0 bytes"),
    ("mmio.write", {"mmio_id": "WINDOW", "offset": 12, "data": bytes(8)}, "OUT_OF_RANGE", "8 bytes at offset 0xc"),
    ("buffer.allocate", {"size": -1}, "INVALID_ARGUMENT", "at least 1"),
    ("buffer.allocate", {"size": 0}, "INVALID_ARGUMENT", "at least 1"),
    ("buffer.allocate", {"size": (1 << 31) - 1}, "RESOURCE_EXHAUSTED", "free"),
    ("buffer.read", {"buffer_id": "BUFFER", "end": 65}, "OUT_OF_RANGE", "the buffer has 64"),
    ("buffer.read", {"buffer_id": "BUFFER", "start": -1}, "OUT_OF_RANGE", "the buffer has 64"),
    ("buffer.read", {"buffer_id": "BUFFER", "start": 9, "end": 8}, "OUT_OF_RANGE", "the buffer has 64"),
    ("buffer.write", {"buffer_id": "BUFFER", "data": bytes(65)}, "OUT_OF_RANGE", "the buffer has 64"),
    ("buffer.write", {"buffer_id": "BUFFER", "data": bytes(5 << 20)}, "RESOURCE_EXHAUSTED", "message larger"),
    ("buffer.write", {"buffer_id": "BUFFER", "data": b"a", "start": -1}, "OUT_OF_RANGE", "the buffer has 64"),
    ("buffer.write", {"buffer_id": "BUFFER", "data": b"a", "end": 5}, "OUT_OF_RANGE", "the buffer has 64"),
    ("buffer.flush", {"buffer_id": "x" * 1000}, "NOT_FOUND", "no buffer"),
    ("buffer.physical_address", {"buffer_id": "WINDOW"}, "NOT_FOUND", "no buffer"),
    ("gpio.get_gpio", {"index": 54, "direction": "up"}, "INVALID_ARGUMENT", "in or out"),
    ("gpio.get_gpio", {"index": 53, "direction": "in"}, "INVALID_ARGUMENT", "pin -1"),
    ("gpio.get_gpio", {"index": -(1 << 31), "direction": "in"}, "INVALID_ARGUMENT", "lead to the PL"),
    ("gpio.get_gpio_npins", {"target_label": "pmc_gpio"}, "NOT_FOUND", "zynq_gpio"),
    ("gpio.read", {"gpio_id": ""}, "NOT_FOUND", "no pin"),
    ("remote_device.readfile", {"file_path": "/etc/passwd"}, "NOT_FOUND", "no file"),
    ("remote_device.readfile", {"file_path": "relative"}, "INVALID_ARGUMENT", "no path"),
    ("remote_device.writefile", {"file_path": "/proc/version", "data": b""}, "PERMISSION_DENIED", "/proc/version"),
    ("remote_device.set_bitstream_attrs", {"binfile_name": "../x.bin"}, "INVALID_ARGUMENT", "no name"),
    ("remote_device.set_pl_clk", {"i": 0}, "UNIMPLEMENTED", "by registers"),
]


@pytest.mark.parametrize(("name", "fields", "code", "text"), WRONG, ids=lambda part: str(part)[:40])
def test_wrong_calls(remote: Remote, name: str, fields: dict, code: str, text: str) -> None:
    buffer = remote.allocate(64)
    handles = {"WINDOW": remote.window(LEDS, 16), "NOTHING": remote.window(0x5000_0000), "BUFFER": buffer}
    with refused(code, text):
        remote(
            name, **{key: handles.get(value, value) if key.endswith("_id") else value for key, value in fields.items()}
        )
    remote("buffer.freebuffer", buffer_id=buffer)


def test_calls_that_there_are_not(remote: Remote) -> None:
    for path in ("/xrfclk.Xrfclk/find_devices", "/mmio.Mmio/erase", "/nothing"):
        with refused("UNIMPLEMENTED", "of PYNQ 4.0.0"):
            remote.channel.unary_unary(path)(b"", timeout=30)


@settings(max_examples=30)
@given(st.sampled_from(sorted(METHODS)), st.binary(max_size=40))
def test_any_bytes_have_an_answer(remote: Remote, name: str, data: bytes) -> None:
    """A message, or no message: the status is one that is meant."""
    status = "OK"
    try:
        remote.send(name, [data] if METHODS[name].many_requests else data)
    except grpc.RpcError as error:
        status = error.code().name
    assert status in ("OK", "INVALID_ARGUMENT", "NOT_FOUND", "OUT_OF_RANGE", "PERMISSION_DENIED", "UNIMPLEMENTED")
    assert remote.read32(LEDS) == remote.read32(LEDS)


def test_a_pool_can_be_full(remote: Remote) -> None:
    held = []
    with refused("RESOURCE_EXHAUSTED", "ps-cma"):
        while True:
            held.append(remote.allocate(16 << 20))
    assert len(held) >= POOL // (16 << 20) // 2
    for buffer in held:
        remote("buffer.freebuffer", buffer_id=buffer)
    remote("buffer.freebuffer", buffer_id=remote.allocate(16 << 20))


def test_a_hundred_at_once(server) -> None:
    with Remote(server.port) as client, ThreadPoolExecutor(100) as threads:

        def work(number: int) -> bool:
            buffer = client.allocate(1000 + number)
            client("buffer.write", [{"buffer_id": buffer, "data": bytes([number]) * (1000 + number)}])
            same = client.contents(buffer) == bytes([number]) * (1000 + number)
            client("buffer.freebuffer", buffer_id=buffer)
            return same

        assert all(threads.map(work, range(100)))
