"""``make kernel-test``: boot each kernel, run tests/kernel/guest in it, print and write what came out."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .apt import DownloadError
from .cache import BUILD, HERE
from .downloads import STOCK, qemu, stock_kernel
from .initramfs import add_job, base
from .machine import Boot, Kernel, boot
from .own_kernel import BUILT, own_kernel
from .results import Report, judge, read
from .table import print_table, write_json
from .wheel import BuildError, build_wheel, unpack

#: What each kernel offers: a test of such a mode that is skipped is a failure.
OFFERED = {**dict.fromkeys(STOCK, (3, 4, 5)), BUILT: (1, 2, 3, 4, 5)}
#: Modes that a run of all tests must have shown; grows with the tests in guest/.
TESTED: tuple[int, ...] = ()

_PYTEST = ("python3", "-m", "pytest", "-v", "-rN", "--color=no", "-p", "no:cacheprovider", "--timeout=300")
_PYTEST_STRICT = ("-W", "error", "--strict-markers", "-c", "/dev/null", "--rootdir", ".")


def main() -> int:
    """Run the tests: 0 when every kernel showed what it should."""
    arguments, selection = _parser().parse_known_args()
    # Ctrl-C and a CI that gives up both go through the same clean-up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begun = time.monotonic()
    try:
        kernels = _kernels(arguments.kernel or [*STOCK, *([BUILT] if arguments.full else [])])
        qemu()
        base()
        site = unpack(build_wheel())
    except (DownloadError, BuildError) as error:
        print(f"kernel-test: {error}", file=sys.stderr)
        return 1
    print(f"== kernel-test: set up in {time.monotonic() - begun:.0f} s; booting {', '.join(k.name for k in kernels)}")
    with tempfile.TemporaryDirectory(prefix="gapless-kernel-test-") as name:
        initramfs = Path(name) / "initramfs.cpio"
        command = (*_PYTEST, *_PYTEST_STRICT, *selection)
        add_job(initramfs, site=site, files=HERE / "guest", command=command)
        with ThreadPoolExecutor(len(kernels)) as pool:
            running = [pool.submit(_run, kernel, initramfs, arguments.limit) for kernel in kernels]
            reports = [future.result() for future in running]
    files = () if selection else sorted(path.name for path in (HERE / "guest").glob("test_*.py"))
    for report, text in reports:
        read(report, text, files)
        judge(report, OFFERED[report.kernel], () if selection else TESTED)
    judged = [report for report, _ in reports]
    write_json(judged, BUILD / "results.json")
    print_table(judged)
    print(f"== kernel-test: {time.monotonic() - begun:.0f} s; build/kernel-test has results.json and the consoles")
    return 1 if any(report.problems for report in judged) else 0


def _run(kernel: Kernel, initramfs: Path, limit: float) -> tuple[Report, str]:
    """Boot once; returns the report with what can be said without the results, and these as text."""
    report = Report(kernel.name, kernel.package)
    begun = time.monotonic()
    with boot(kernel, initramfs) as machine:
        machine.wait(limit)
    return report, _finish(report, machine, begun, limit)


def _finish(report: Report, machine: Boot, begun: float, limit: float) -> str:
    report.seconds = time.monotonic() - begun
    report.console = machine.console
    if machine.timed_out:
        report.problems.append(f"the guest did not end within {limit:g} s: it was stopped")
    elif machine.process.returncode:
        report.problems.append(f"QEMU ended with status {machine.process.returncode}: {machine.errors}")
    (BUILD / f"console-{report.kernel}.log").write_text(machine.console)
    return machine.results


def _kernels(names: list[str]) -> list[Kernel]:
    found = []
    for name in names:
        folder = own_kernel() if name == BUILT else stock_kernel(name)
        arguments = (folder / "arguments").read_text() if (folder / "arguments").exists() else ""
        found.append(Kernel(name, (folder / "package").read_text().strip(), folder / "Image", arguments))
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make kernel-test", description=__doc__, allow_abbrev=False)
    parser.add_argument("--kernel", action="append", choices=sorted(OFFERED), help="only this one; may be repeated")
    parser.add_argument("--full", action="store_true", help=f"also {BUILT}: built from Debian's source if need be")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds after which a guest is stopped")
    parser.epilog = "Everything else goes to pytest in the guest, as in -k name."
    return parser


if __name__ == "__main__":
    sys.exit(main())
