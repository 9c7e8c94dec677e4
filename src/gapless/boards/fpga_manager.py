"""The kernel's FPGA manager: loads a bitstream into the PL of a running system.

Sources: Linux, drivers/fpga/fpga-mgr.c and Documentation/ABI/testing/sysfs-class-fpga-manager; the attributes
``firmware`` and ``flags`` are those of AMD's kernel (linux-xlnx). Where they are missing, a device-tree overlay
does it through configfs (linux-xlnx, drivers/of/configfs.c).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import AccessDeniedError, FpgaLoadError, UnsupportedError, WaitTimeoutError
from .bitstream import Bitstream
from .overlay import find_region, make_overlay

#: include/linux/fpga/fpga-mgr.h, FPGA_MGR_PARTIAL_RECONFIG. The attribute is hexadecimal.
_FULL, _PARTIAL = b"0", b"1"
_PAUSE = 0.01


@dataclass(frozen=True)
class Loaded:
    """What was loaded: the name of the design, the manager's state after it, and how long it took in seconds."""

    design: str
    state: str
    seconds: float


class FpgaManager:
    """The first FPGA manager under ``root``. UnsupportedError when the kernel has none."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        folder = root / "sys/class/fpga_manager"
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        if not found:
            raise UnsupportedError(
                "this kernel has no FPGA manager (/sys/class/fpga_manager is empty): it needs "
                "CONFIG_FPGA_MGR_ZYNQMP_FPGA and the node xlnx,zynqmp-pcap-fpga in its device tree (Zynq-7000: "
                "CONFIG_FPGA_MGR_ZYNQ_FPGA and xlnx,zynq-devcfg-1.0)"
            )
        self.path = found[0]

    @property
    def name(self) -> str:
        """What it drives: ``Xilinx ZynqMP FPGA Manager``."""
        return self._read("name")

    @property
    def state(self) -> str:
        """``operating`` when a design runs; a step of loading, or ``... error``."""
        return self._read("state")

    @property
    def status(self) -> str:
        """What went wrong, as far as the manager says; empty when it says nothing."""
        return "; ".join(self._read("status").splitlines())

    def load(self, bitstream: Bitstream, *, partial: bool = False, timeout: float = 30.0) -> Loaded:
        """Load ``bitstream`` and wait until it runs, at most ``timeout`` seconds.

        Whatever uses the PL must have stopped: a register access while there is no design stops the processor.

        Raises:
            AccessDeniedError: loading takes root.
            FpgaLoadError: the kernel refused it, or it does not run.
            UnsupportedError: this kernel cannot be asked to load from outside.
            WaitTimeoutError: it is still at it.
        """
        partial = partial or bitstream.partial
        began = time.monotonic()
        overlays = self._root / "sys/kernel/config/device-tree/overlays"
        if not (self.path / "firmware").exists() and not overlays.is_dir():
            raise UnsupportedError(
                f"{self.name} loads only for the kernel itself: {self.path}/firmware comes with AMD's kernel "
                "(linux-xlnx), /sys/kernel/config/device-tree/overlays with CONFIG_OF_CONFIGFS (mount -t configfs "
                "none /sys/kernel/config); boot with the bitstream, or use such a kernel"
            )
        with self._firmware(bitstream) as name:
            if (self.path / "firmware").exists():
                self._write_flags(partial)
                self._write(self.path / "firmware", name, bitstream, timeout)
            else:
                self._apply_overlay(overlays, name, bitstream, partial, timeout)
            self._wait(bitstream, began + timeout, timeout)
        return Loaded(bitstream.design, self.state, time.monotonic() - began)

    @contextmanager
    def _firmware(self, bitstream: Bitstream) -> Iterator[str]:
        """A file where the kernel looks for firmware; its name there."""
        parameter = self._root / "sys/module/firmware_class/parameters/path"
        custom = parameter.read_text().strip() if parameter.exists() else ""
        folder = self._root / (custom.lstrip("/") or "lib/firmware")
        file = folder / f"gapless-{os.getpid()}.bin"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file.write_bytes(bitstream.payload("little"))
        except OSError as error:
            with suppress(OSError):
                file.unlink()
            raise _denied(error, f"put the bitstream into {folder}, where the kernel reads it") from None
        try:
            yield file.name
        finally:
            with suppress(OSError):
                file.unlink()

    def _write_flags(self, partial: bool) -> None:
        flags = self.path / "flags"
        if flags.exists():
            try:
                _put(flags, _PARTIAL if partial else _FULL)
            except OSError as error:
                raise _denied(error, f"write {flags}") from None
        elif partial:
            raise UnsupportedError(f"{self.name} has no flags: it loads whole bitstreams only")

    def _write(self, path: Path, text: str, bitstream: Bitstream, timeout: float) -> None:
        try:
            _in_time(lambda: _put(path, text.encode()), timeout, f"the kernel to load {bitstream.path} ({path})")
        except WaitTimeoutError:  # an OSError, too
            raise
        except PermissionError as error:
            raise _denied(error, f"write {path}") from None
        except OSError as error:
            raise self._failed(bitstream, error.strerror or str(error)) from None

    def _apply_overlay(self, overlays: Path, name: str, bitstream: Bitstream, partial: bool, timeout: float) -> None:
        overlay = overlays / "gapless"
        try:
            if overlay.is_dir():  # the region of the design before
                overlay.rmdir()
            overlay.mkdir()
        except OSError as error:
            raise _denied(error, f"make the overlay {overlay}") from None
        blob = make_overlay(find_region(self._root / "proc/device-tree"), name, partial=partial)
        try:
            _in_time(lambda: _put(overlay / "dtbo", blob), timeout, f"the overlay that loads {bitstream.path}")
            # What went wrong in there is not said: writing the overlay succeeds all the same.
            applied = (overlay / "status").read_text().strip()
        except WaitTimeoutError:
            raise
        except OSError as error:
            applied = error.strerror or str(error)
        if applied != "applied":
            failed = self._failed(bitstream, f"the overlay is not applied ({applied})")
            with suppress(OSError):
                overlay.rmdir()
            raise failed

    def _wait(self, bitstream: Bitstream, deadline: float, timeout: float) -> None:
        while (state := self.state) != "operating":
            if state.endswith("error"):
                raise self._failed(bitstream, "")
            if time.monotonic() >= deadline:
                raise WaitTimeoutError(
                    f"waited {timeout:g} s for {self.name} to run {bitstream.path}: its state is {state!r}"
                )
            time.sleep(_PAUSE)

    def _failed(self, bitstream: Bitstream, reason: str) -> FpgaLoadError:
        state, status = self.state, self.status
        said = ", ".join(text for text in (reason, f"state {state!r}", status) if text)
        return FpgaLoadError(
            f"{self.name} did not load {bitstream.path} ({bitstream.part or 'part unknown'}): {said}; the kernel's log "
            "says more (dmesg)",
            state=state,
            status=status,
        )

    def _read(self, attribute: str) -> str:
        try:
            return (self.path / attribute).read_text().strip()
        except OSError:  # status is there, and fails, where the driver has none
            return ""


def _denied(error: OSError, what: str) -> AccessDeniedError | FpgaLoadError:
    if isinstance(error, PermissionError):
        return AccessDeniedError(f"this program may not {what}: loading a bitstream takes root")
    return FpgaLoadError(f"cannot {what}: {error.strerror}")


def _put(path: Path, data: bytes) -> None:
    with open(path, "wb", buffering=0) as file:  # the kernel acts on each write: it has to be one
        file.write(data)


def _in_time(call: Callable[[], object], timeout: float, what: str) -> None:
    """Call something that waits in the kernel, where nothing can end it, and give up waiting for it in time."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="gapless-load", daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise WaitTimeoutError(f"waited {timeout:g} s for {what}")
    if failed:
        raise failed[0]
