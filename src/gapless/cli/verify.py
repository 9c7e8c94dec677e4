"""gapless verify."""

from __future__ import annotations

from typing import Annotated

import typer

from ..files import open_source
from ..samples import Finding, check_counter
from . import options, sources
from .output import count, print_json, print_table
from .progress import ProgressBar

EXAMPLES = """\b
Example:
  gapless record counter.npy --samples 100e6 && gapless verify counter.npy

\b
Exit status: 0 nothing found, 3 samples are missing, repeated or out of order, 2 wrong use.
"""

_LIMIT = 10_000
_LISTED = 20
_KINDS = ("missing", "repeated", "out-of-order")


def verify(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A capture of the counter pattern: .raw (little-endian int16), .npy, .wav or .sigmf-meta.",
            show_default=False,
        ),
    ],
    json: options.Json = False,
) -> int:
    """Find lost, repeated or misplaced samples in a counter capture.

    The counter goes up by one each sample and wraps at 16 bits, so that a loss of a whole multiple of
    65536 samples cannot be seen.
    """
    with ProgressBar("reading", wanted=not json) as progress:
        samples = sources.read_all(open_source(file))
        progress.say("checking")
        findings = check_counter(samples, limit=_LIMIT)
    if json:
        print_json(_document(file, len(samples), findings))
    else:
        _print(file, len(samples), findings)
    return 3 if findings else 0


def _document(file: str, samples: int, findings: list[Finding]) -> dict[str, object]:
    return {
        "file": file,
        "samples": samples,
        "findings": [{"kind": found.kind, "index": found.index, "length": found.length} for found in findings],
        "finding_count": len(findings),
        **{f"{kind.replace('-', '_')}_samples": _length(findings, kind) for kind in _KINDS},
        "stopped_early": len(findings) == _LIMIT,
    }


def _length(findings: list[Finding], kind: str) -> int:
    return sum(found.length for found in findings if found.kind == kind)


def _print(file: str, samples: int, findings: list[Finding]) -> None:
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
