"""``make kernel-test``: boot each kernel, run tests/kernel/guest in it, print and write what came out."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
import time
from pathlib import Path

from .apt import DownloadError
from .cache import BUILD, HERE, alone
from .downloads import STOCK, qemu, stock_kernel
from .initramfs import add_job, base
from .machine import Boot, Kernel, boot, wait
from .own_kernel import BUILT, KernelBuildError, own_kernel
from .results import Report, judge, read
from .table import print_table, write_json
from .wheel import BuildError, build_wheel, unpack

#: What each kernel offers, modes and what tests need besides: a test that was skipped and needs no more is a failure.
OFFERED: dict[str, frozenset[int | str]] = {
    "6.1": frozenset({2, 3, 4, 5, "strict-devmem", "gpio-zynq"}),
    "6.12": frozenset({2, 3, 4, 5, "strict-devmem", "udmabuf", "gpio-zynq"}),
    BUILT: frozenset({1, 2, 3, 4, 5, "udmabuf", "dma-heap", "uio", "open-devmem"}),
}
#: Kernels that are booted once more, beside a model of the PL.
FABRIC = (STOCK[-1], BUILT)
#: Modes that a run of all tests must have shown; grows with the tests in guest/.
TESTED: tuple[int, ...] = (1, 2, 3, 4, 5)

_PYTEST = (
    *("python3", "-m", "pytest", "-v", "-rN", "--color=no", "-p", "no:cacheprovider", "--timeout=300"),
    *("-W", "error", "--strict-markers", "-c", "/dev/null", "--rootdir", "."),
)


def main() -> int:
    """Run the tests: 0 when every kernel showed what it should."""
    arguments, selection = _parser().parse_known_args()
    # Ctrl-C, a closed terminal and a CI that gives up all go through the same clean-up.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    begun = time.monotonic()
    try:
        kernels = _kernels(arguments.kernel or [*STOCK, *([BUILT] if arguments.full else [])])
        qemu()
        base()
        BUILD.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="run-", dir=BUILD) as name:
            reports = _run(kernels, Path(name), selection, arguments.limit)
    except (DownloadError, BuildError, KernelBuildError) as error:
        print(f"kernel-test: {error}", file=sys.stderr)
        return 1
    write_json(reports, BUILD / "results.json")
    print_table(reports)
    print(f"== kernel-test: {time.monotonic() - begun:.0f} s; build/kernel-test has results.json and the consoles")
    return 1 if any(report.problems for report in reports) else 0


def _run(kernels: list[Kernel], directory: Path, selection: list[str], limit: float) -> list[Report]:
    """Build the wheel and boot all kernels at once; then, in a run of all tests, some beside a model of the PL."""
    from .fabric import run as fabric  # needs gapless on the host

    tests, beside = directory / "tests.cpio", directory / "fabric.cpio"
    with alone(BUILD / "wheel"):
        site = unpack(build_wheel())
        modules = {kernel.release: kernel.modules for kernel in kernels if kernel.modules is not None}
        add_job(tests, site=site, files=HERE / "guest", command=(*_PYTEST, *selection), modules=modules)
        fabric.add_job(beside, site)
    print(f"== kernel-test: booting {', '.join(kernel.name for kernel in kernels)}", flush=True)
    with contextlib.ExitStack() as stack:
        machines = [stack.enter_context(boot(kernel, tests)) for kernel in kernels]
        wait(machines, limit)
    files = () if selection else sorted(path.name for path in (HERE / "guest").glob("test_*.py"))
    reports = []
    for machine in machines:
        report = _ended(machine, limit)
        read(report, machine.results, files)
        if machine.kernel.name in FABRIC and not selection:
            print(f"== kernel-test: booting {machine.kernel.name} beside a model of the PL", flush=True)
            fabric.run(report, machine.kernel, beside, uio="uio" in OFFERED[machine.kernel.name], limit=limit)
        judge(report, OFFERED, () if selection else TESTED)
        reports.append(report)
    return reports


def _ended(machine: Boot, limit: float) -> Report:
    """A report with what can be said without the results; the console is kept beside it."""
    kernel = machine.kernel
    report = Report(kernel.name, kernel.package, seconds=machine.seconds, console=machine.console)
    if machine.timed_out:
        report.problems.append(f"the guest did not end within {limit:g} s: it was stopped")
    elif machine.process.returncode:
        report.problems.append(f"QEMU ended with status {machine.process.returncode}: {machine.errors}")
    (BUILD / f"console-{kernel.name}.log").write_text(machine.console)
    return report


def _kernels(names: list[str]) -> list[Kernel]:
    found = []
    for name in names:
        folder = own_kernel() if name == BUILT else stock_kernel(name)
        arguments = (folder / "arguments").read_text() if (folder / "arguments").exists() else ""
        modules = folder / "modules" if (folder / "modules").exists() else None
        found.append(Kernel(name, (folder / "package").read_text().strip(), folder / "Image", arguments, modules))
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make kernel-test", description=__doc__, allow_abbrev=False)
    parser.add_argument("--kernel", action="append", choices=sorted(OFFERED), help="only this one; may be repeated")
    parser.add_argument("--full", action="store_true", help=f"also {BUILT}: built from Debian's source if need be")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds after which a guest is stopped")
    parser.epilog = "Everything else goes to pytest in the guest, as in -k name."
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
