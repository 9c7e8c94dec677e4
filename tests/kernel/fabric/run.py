"""Boot a guest beside the model, let it play, and compare what each says of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..cache import BUILD, HERE
from ..initramfs import add_job as initramfs_job
from ..machine import MEMORY_BYTES, Boot, Kernel, boot, wait
from ..results import Report, TestResult
from .guest.design import INTERRUPT, signal
from .model import Model, Played
from .qtest import InterruptInput

#: What the guest plays, in this order: its mode of memory, samples, and what is shown by it.
PLAYS = {
    "carve-out": (5, 36 << 20, "72 MiB from the carve-out, no gap"),
    "huge pages": (4, 12 << 20, "24 MiB from 2 MB pages apart, no gap"),
    "stream": (5, 48 << 20, "96 MiB through a ring of 40, no gap"),
    "late": (5, 6 << 18, "blocks too late, and both count the same gaps"),
}
_MEMORY = {4: "ps-hugepages", 5: "ps-carveout"}
_PAUSE = 1e-4
_PIECE = 1 << 22


def add_job(initramfs: Path, site: Path) -> None:
    """Write the guest's files, with the package in ``site``."""
    initramfs_job(initramfs, site=site, files=HERE / "fabric", command=("python3", "-m", "guest.play"))


def run(report: Report, kernel: Kernel, initramfs: Path, *, uio: bool, limit: float) -> None:
    """Boot ``kernel``, and add a test for each play to its report; with ``uio`` interrupts must have come by UIO."""
    memory = os.memfd_create("guest-memory")
    try:
        os.truncate(memory, MEMORY_BYTES)
        model = Model(memory)
        with tempfile.TemporaryDirectory(prefix="gapless-qtest-") as name:
            path = Path(name) / "socket"
            with (
                InterruptInput(path, INTERRUPT) as line,
                boot(kernel, initramfs, shared_memory=memory, qtest=path) as guest,
            ):
                try:
                    line.connect()
                    _serve(guest, model, line, limit)
                except (TimeoutError, RuntimeError) as error:
                    report.problems.append(f"the model of the PL gave up: {error}")
    finally:
        os.close(memory)
    (BUILD / f"console-fabric-{kernel.name}.log").write_text(guest.console)
    report.console += guest.console
    events = _events(guest.results, report)
    if not events or events[-1]["event"] != "end":
        report.problems.append(f"the guest beside the model of the PL did not come to its end {guest.errors}".strip())
    report.problems += [f"the model of the PL found: {text}" for text in model.findings]
    reports = {event["name"]: event for event in events if event["event"] == "played"}
    judge(report, reports, model.played, uio=uio)


def _serve(machine: Boot, model: Model, line: InterruptInput, limit: float) -> None:
    with contextlib.suppress(ConnectionError):  # QEMU ends before we see that it has
        while not machine.ended(limit):
            line.set(model.look())
            time.sleep(_PAUSE)
    wait([machine], limit)


def _events(text: str, report: Report) -> list[dict[str, Any]]:
    events = []
    for line in text.splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            report.problems.append(f"a line that is no event: {line[:200]!r}")
    return events


def judge(report: Report, reports: Mapping[str, dict[str, Any]], played: Sequence[Played], *, uio: bool) -> None:
    """Compare what the guest reported, by name, with what the model played, in order."""
    for seed, (name, (mode, samples, words)) in enumerate(PLAYS.items()):
        wrong, seconds = ["the guest did not report it"], 0.0
        if name in reports:
            seconds = reports[name]["seconds"]
            wrong = ["the model did not play it"]
            if seed < len(played):
                wrong = _compare(name, reports[name], played[seed], _expected(seed, samples), uio=uio)
                if reports[name]["samples"] != samples or reports[name]["memory"] != _MEMORY[mode]:
                    wrong.append(f"{samples} samples from {_MEMORY[mode]} were asked")
        outcome = "failed" if wrong else "passed"
        claim = f"player against a PL model on the host: {words}"
        report.tests.append(TestResult(f"fabric: {name}", outcome, (mode,), (), (claim,), seconds, "\n".join(wrong)))
    if len(played) > len(PLAYS):
        report.problems.append(f"the model of the PL played {len(played)} times; {len(PLAYS)} were asked")


def _compare(name: str, told: dict[str, Any], played: Played, sha256: str, *, uio: bool) -> list[str]:
    ledger = played.ledger
    facts = {
        "samples": (told["samples"], ledger.samples),
        "gaps": (told["gap_count"], ledger.gap_count),
        "missing samples": (told["missing"], ledger.missing_samples),
        "the list of gaps": (told["gaps"], [[gap.index, gap.length, gap.cause] for gap in ledger.gaps]),
    }
    wrong = [f"{what}: the guest says {one}, the host {other}" for what, (one, other) in facts.items() if one != other]
    if played.sha256 != sha256:
        wrong.append(f"the {played.nbytes} bytes that the DAC converted are not the signal")
    if ledger.gap_count < 2 if name == "late" else ledger.gap_count:
        wrong.append(f"{ledger.gap_count} gaps")
    if name == "huge pages" and told["runs"] < 12:
        wrong.append(f"the pages were neighbours: {told['runs']} runs of 12 pages")
    if name == "carve-out" and told["transfers"] < 2:
        wrong.append("one transfer took it all")
    if bool(told["interrupts"]) != uio:
        wrong.append(f"{told['interrupts']} interrupts came by UIO")
    return wrong


def _expected(seed: int, samples: int) -> str:
    """The SHA-256 of the signal. What the DAC repeats in a gap is not handed on."""
    digest = hashlib.sha256()
    for start in range(0, samples, _PIECE):
        digest.update(signal(seed, start, min(_PIECE, samples - start)).tobytes())
    return digest.hexdigest()
