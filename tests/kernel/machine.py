"""One boot: QEMU's ZCU102 with 34 GB, that always ends, and leaves no process and no file behind."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .cache import BUILD, HERE
from .downloads import qemu

#: 2 GB at 0 and 32 GB at 0x8_0000_0000.
MEMORY_BYTES = 34 << 30
#: Pages for mode 4 are set aside at boot: 1 GB ones cannot be had later.
_COMMAND_LINE = (
    "console=ttyPS0 quiet loglevel=4 panic=-1 rdinit=/init hugepagesz=1G hugepages=1 hugepagesz=2M hugepages=72"
)


@dataclass(frozen=True)
class Kernel:
    """A kernel to boot: its column in the table, what it is, its image and what it wants on its command line.

    `modules` is a folder, if it has any that are loaded.
    """

    name: str
    package: str
    image: Path
    arguments: str = ""
    modules: Path | None = None

    @property
    def release(self) -> str:
        """What `uname -r` says on one of Debian's."""
        return self.package.split()[0].removeprefix("linux-image-")


@dataclass
class Boot:
    """A machine that runs, or ran: how it ended, and what it wrote (while it runs, files in `directory`)."""

    kernel: Kernel
    process: subprocess.Popen[bytes]
    directory: Path
    begun: float
    seconds: float = 0.0
    timed_out: bool = False
    #: Valid once the machine is off.
    console: str = ""
    results: str = ""
    errors: str = ""

    def ended(self, limit: float) -> bool:
        """Whether the machine switched itself off; after `limit` seconds it is stopped, and `timed_out` says so."""
        self.seconds = time.monotonic() - self.begun
        if self.process.poll() is None and self.seconds > limit:
            self.timed_out = True
            self.stop()
        return self.process.poll() is not None

    def stop(self) -> None:
        """End QEMU, and whatever it started; read what the machine wrote."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(5)

        for name in ("console", "results", "errors"):
            path = self.directory / name
            setattr(self, name, path.read_text(errors="replace") if path.exists() else "")


def wait(boots: Sequence[Boot], limit: float) -> None:
    """Wait until all machines ended. In one thread: Ctrl-C ends the wait, and the blocks of `boot` the machines."""
    running = list(boots)
    while running := [machine for machine in running if not machine.ended(limit)]:
        time.sleep(0.05)


@contextlib.contextmanager
def boot(
    kernel: Kernel,
    initramfs: Path,
    *,
    shared_memory: int | None = None,
    qtest: Path | None = None,
    cores: int = 2,
) -> Iterator[Boot]:
    """Start the machine; it is off when the block is left, however that happens.

    Args:
        kernel: what to boot.
        initramfs: the guest's files, written by `initramfs.add_job`.
        shared_memory: an open file of MEMORY_BYTES, best of os.memfd_create(), that becomes the guest's memory: who
            maps it sees physical address p at offset p below 2 GB, else at p - 0x8_0000_0000 + 2 GB.
        qtest: a unix socket somebody listens on; QEMU connects to it. With
            `set_irq_in /machine/soc/gic unnamed-gpio-in 89 1` the host raises pl_ps_irq0[0].
        cores: of the two the device tree has.
    """
    with tempfile.TemporaryDirectory(prefix="boot-", dir=_runs()) as name:
        directory = Path(name)
        command = [*_qemu_command(), "-M", "xlnx-zcu102,memory-backend=ram", "-object", _memory(shared_memory)]
        command += ["-smp", str(cores), "-display", "none", "-monitor", "none", "-no-reboot", "-nic", "none"]
        command += ["-audio", "none", "-kernel", str(kernel.image), "-dtb", str(_device_tree(directory))]
        command += ["-initrd", str(initramfs), "-append", f"{_COMMAND_LINE} {kernel.arguments}"]
        # One for people, one for results: lines of the kernel's never end up inside a result.
        command += ["-serial", f"file:{directory}/console", "-serial", f"file:{directory}/results"]
        if qtest is not None:
            command += ["-qtest", f"unix:{qtest}", "-qtest-log", "/dev/null"]
        with (directory / "errors").open("wb") as errors:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
                pass_fds=() if shared_memory is None else (shared_memory,),
            )
        started = Boot(kernel, process, directory, time.monotonic())
        try:
            yield started
        finally:
            started.stop()


def _runs() -> Path:
    """Where a machine's files are while it runs; if this process is killed, `make clean` finds them."""
    BUILD.mkdir(parents=True, exist_ok=True)
    return BUILD


def _qemu_command() -> list[str]:
    """QEMU with its own libraries and loader; it dies with this process, even if that one is killed."""
    tree = qemu()
    (loader,) = [*tree.glob("lib64/ld-linux-*.so.*"), *tree.glob("lib/ld-linux-aarch64.so.*")][:1]
    libraries = sorted({str(path.parent) for path in tree.glob("**/lib/*/lib*.so*")})
    program = [str(loader), "--library-path", ":".join(libraries), str(tree / "usr/bin/qemu-system-aarch64")]
    return ["setpriv", "--pdeathsig", "KILL", *program, "-L", str(tree / "usr/share/qemu")]


def _memory(shared: int | None) -> str:
    if shared is None:
        return f"memory-backend-ram,id=ram,size={MEMORY_BYTES},reserve=off"
    return f"memory-backend-file,id=ram,size={MEMORY_BYTES},mem-path=/proc/self/fd/{shared},share=on,reserve=off"


def _device_tree(directory: Path) -> Path:
    source = (HERE / "zcu102.dts").read_text().replace("GAPLESS_RNG_SEED", secrets.token_bytes(64).hex(" "))
    compiled = directory / "machine.dtb"
    command = ["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", str(compiled)]
    subprocess.run(command, input=source, text=True, check=True)
    return compiled
