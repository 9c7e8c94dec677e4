"""gapless verify."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from ..errors import BadArgumentError
from ..files import check_gaps, check_length, ledger_path, open_source, read_ledger
from ..files.binary import BinarySource
from ..samples import Finding, check_counter
from ..stream import Ledger
from ..units import format_rate
from . import options, sources
from .output import count, print_json, print_ledger, print_table
from .progress import ProgressBar

EXAMPLES = """\b
Examples:
  gapless record counter.npy --samples 100e6 && gapless verify counter.npy
  gapless record tone.npy --samples 1e6 --source tone:1e6 && gapless verify tone.npy --pattern none

\b
Exit status: 0 nothing found; 3 samples are missing, repeated or out of order, or the capture and its
ledger do not tell the same; 2 wrong use.
"""

_LIMIT = 10_000
_LISTED = 20
_KINDS = ("missing", "repeated", "out-of-order")
_PATTERNS = ("counter", "none")


@dataclass(frozen=True)
class _Result:
    file: str
    pattern: str
    samples: int
    findings: list[Finding]
    ledger: Ledger | None
    disagreements: list[str]

    @property
    def fine(self) -> bool:
        return not self.findings and not self.disagreements and (self.ledger is None or self.ledger.complete)


def verify(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A capture: .raw (little-endian int16), .npy, .wav or .sigmf-meta.",
            show_default=False,
        ),
    ],
    pattern: Annotated[
        str, typer.Option(metavar="NAME", help="What was captured: counter, or none to look at the ledger only.")
    ] = "counter",
    json: options.Json = False,
) -> int:
    """Find lost, repeated or misplaced samples in a capture, and show the ledger saved with it.

    The counter goes up by one each sample and wraps at 16 bits, so that a loss of a whole multiple of
    65536 samples cannot be seen in it. The ledger beside the capture knows of every loss; the two must agree.
    """
    if pattern not in _PATTERNS:
        raise BadArgumentError(f"--pattern {pattern}: it is {' or '.join(_PATTERNS)}")
    with ProgressBar("reading", wanted=not json) as progress:
        source = open_source(file)
        ledger = read_ledger(file)
        if pattern == "none":
            if ledger is None:
                place = ledger_path(file)
                raise BadArgumentError(f"{file}: --pattern none leaves only its ledger to look at: none in {place}")
            length = source.length or 0
            result = _Result(file, pattern, length, [], ledger, check_length(ledger, length))
        else:
            # A capture may be larger than memory.
            mapped = source.mapped() if isinstance(source, BinarySource) else None
            samples = sources.read_all(source) if mapped is None else mapped
            progress.say("checking")
            findings = check_counter(samples, limit=_LIMIT)
            told = [] if ledger is None else check_length(ledger, len(samples)) + check_gaps(ledger, samples, findings)
            result = _Result(file, pattern, len(samples), findings, ledger, told)
    if json:
        print_json(_document(result))
    else:
        _print(result)
    return 0 if result.fine else 3


def _document(result: _Result) -> dict[str, Any]:
    return {
        "file": result.file,
        "samples": result.samples,
        "pattern": result.pattern,
        "findings": [{"kind": found.kind, "index": found.index, "length": found.length} for found in result.findings],
        "finding_count": len(result.findings),
        **{f"{kind.replace('-', '_')}_samples": _length(result.findings, kind) for kind in _KINDS},
        "stopped_early": len(result.findings) == _LIMIT,
        "ledger": None if result.ledger is None else result.ledger.document(),
        "disagreements": result.disagreements,
    }


def _length(findings: list[Finding], kind: str) -> int:
    return sum(found.length for found in findings if found.kind == kind)


def _print(result: _Result) -> None:
    if result.ledger is not None:
        _print_saved(result.ledger)
    for sentence in result.disagreements[:_LISTED]:
        print(f"{result.file}: {sentence}")
    if len(result.disagreements) > _LISTED:
        print(f"... and {len(result.disagreements) - _LISTED:,} more")
    if result.pattern != "none":
        _print_findings(result.file, result.samples, result.findings)
    elif result.fine:
        print(f"{result.file}: {count(result.samples, 'sample')}, as its ledger says")


def _print_saved(ledger: Ledger) -> None:
    rate = "" if ledger.rate is None else f" at {format_rate(ledger.rate)}"
    print(f"ledger: {count(ledger.samples, 'sample')}{rate}, ended: {ledger.ended}")
    if ledger.counters is not None:
        ring = ledger.counters
        print(
            f"ring: low water {ring.queue_low_water:,}, high water {count(ring.queue_high_water, 'block')}, "
            f"{count(ring.late_events, 'late event')}"
        )
    print_ledger(ledger, "no gap in the ledger")
    print()


def _print_findings(file: str, samples: int, findings: list[Finding]) -> None:
    if findings:
        print_table(
            ("finding", "at sample", "length"),
            [(found.kind, f"{found.index:,}", f"{found.length:,}") for found in findings[:_LISTED]],
            numbers=("at sample", "length"),
        )
        if len(findings) > _LISTED:
            print(f"... and {len(findings) - _LISTED:,} more")
        print()
    parts = [f"{count(_length(findings, kind), 'sample')} {kind}" for kind in _KINDS if _length(findings, kind)]
    early = ", and perhaps more: looked no further" if len(findings) == _LIMIT else ""
    account = f": {', '.join(parts)}" if parts else ": the counter has no hole, no repeat and nothing out of order"
    print(f"{file}: {count(samples, 'sample')}, {count(len(findings), 'finding')}{early}{account}")
