"""Boot a guest beside the model, let it play, and compare what each says of it."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from ..cache import BUILD, HERE
from ..initramfs import add_job
from ..machine import MEMORY_BYTES, Boot, Kernel, boot
from ..results import Report, TestResult
from .guest.design import INTERRUPT, signal
from .model import Model, Played
from .qtest import InterruptInput

_CLAIM = "a Player in the guest, a model of the PL on the host: "
#: What the guest plays, in this order; its mode of memory, samples, and what is shown by it.
_PLAYS = {
    "carve-out": (5, 36 << 20, "72 MiB from the carve-out, no gap"),
    "huge pages": (4, 12 << 20, "24 MiB from 2 MB pages apart, no gap"),
    "stream": (5, 48 << 20, "96 MiB through a ring of 40, no gap"),
    "late": (5, 6 << 18, "blocks too late, and both count the same gaps"),
}
_PAUSE = 1e-4
_PIECE = 1 << 22


def run(kernel: Kernel, site: Path, directory: Path, *, uio: bool, limit: float) -> Report:
    """One boot of ``kernel`` with the package in ``site``; with ``uio`` interrupts must have come by a UIO device."""
    initramfs = directory / f"fabric-{kernel.name}.cpio"
    add_job(initramfs, site=site, files=HERE / "fabric", command=("python3", "-m", "guest.play"))
    memory = os.memfd_create("guest-memory")
    try:
        os.truncate(memory, MEMORY_BYTES)
        model = Model(memory)
        with tempfile.TemporaryDirectory(prefix="gapless-qtest-") as name:
            path = Path(name) / "socket"
            with InterruptInput(path, INTERRUPT) as line, boot(kernel, initramfs, shared_memory=memory, qtest=path) as it:
                line.connect()
                _serve(it, model, line, limit)
    finally:
        os.close(memory)
        initramfs.unlink(missing_ok=True)
    (BUILD / f"console-fabric-{kernel.name}.log").write_text(it.console)
    return judge(it, model, uio=uio)


def _serve(machine: Boot, model: Model, line: InterruptInput, limit: float) -> None:
    while not machine.ended(limit):
        try:
            line.set(model.look())
        except ConnectionError:  # the guest has switched off
            machine.process.wait(10)
        time.sleep(_PAUSE)


def judge(machine: Boot, model: Model, *, uio: bool) -> Report:
    """A report with a test for each play."""
    report = Report(machine.kernel.name, machine.kernel.package, seconds=machine.seconds, console=machine.console)
    events = [json.loads(line) for line in machine.results.splitlines()]
    if not events or events[-1]["event"] != "end":
        end = "\n".join(machine.console.splitlines()[-30:])
        report.problems.append(f"the guest beside the PL's model did not come to its end:\n{end}\n{machine.errors}")
    report.problems += [f"the PL's model found: {text}" for text in model.findings]
    reports = {event["name"]: event for event in events if event["event"] == "played"}
    for seed, (name, (mode, samples, words)) in enumerate(_PLAYS.items()):
        wrong = ["the guest did not report it"]
        if name in reports and seed < len(model.played):
            wrong = _compare(name, reports[name], model.played[seed], seed, samples, uio=uio)
        outcome = "failed" if wrong else "passed"
        test = TestResult(f"fabric: {name}", outcome, (mode,), (), (_CLAIM + words,), 0.0, "\n".join(wrong))
        report.tests.append(test)
        if wrong:
            report.problems.append(f"{test.name} failed")
    if len(model.played) > len(_PLAYS):
        report.problems.append(f"the PL's model played {len(model.played)} times; {len(_PLAYS)} were asked")
    return report


def _compare(name: str, told: dict[str, Any], played: Played, seed: int, samples: int, *, uio: bool) -> list[str]:
    ledger = played.ledger
    facts = {
        "samples": (told["samples"], ledger.samples),
        "gaps": (told["gap_count"], ledger.gap_count),
        "missing samples": (told["missing"], ledger.missing_samples),
        "the list of gaps": (told["gaps"], [[gap.index, gap.length, gap.cause] for gap in ledger.gaps]),
    }
    wrong = [f"{what}: the guest says {one}, the host {other}" for what, (one, other) in facts.items() if one != other]
    if ledger.samples != samples:
        wrong.append(f"{ledger.samples} samples were converted, of {samples}")
    if played.sha256 != _expected(seed, samples):
        wrong.append(f"the {played.nbytes} bytes that the DAC converted are not the signal")
    if ledger.gap_count < 2 if name == "late" else ledger.gap_count:
        wrong.append(f"{ledger.gap_count} gaps")
    if name == "huge pages" and told["runs"] < 12:
        wrong.append(f"the pages were neighbours: {told['runs']} runs of 12 pages")
    if name == "carve-out" and told["transfers"] < 2:
        wrong.append(f"{told['transfers']} transfers")
    if bool(told["interrupts"]) != uio:
        wrong.append(f"{told['interrupts']} interrupts came by UIO")
    return wrong


def _expected(seed: int, samples: int) -> str:
    """The SHA-256 of the signal. What the DAC repeats in a gap is not handed on."""
    digest = hashlib.sha256()
    for start in range(0, samples, _PIECE):
        digest.update(signal(seed, start, min(_PIECE, samples - start)).tobytes())
    return digest.hexdigest()
