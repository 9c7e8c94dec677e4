"""Which of the five ways to memory this machine offers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from ...boards import BoardSpec
from ..pool import Pool
from .availability import Discovery, Mode, Unavailable


class Provider(Protocol):
    """Opens a pool, or says why there is none.

    ``root`` is where /proc, /sys, /dev and /run are; ``claims`` is the registry of who has which range.
    """

    def __call__(self, spec: BoardSpec, *, root: Path, claims: Any) -> Pool | Unavailable:  # noqa: D102
        ...


#: For each mode its title and who provides it: the first that has a pool is taken.
PROVIDERS: tuple[tuple[str, tuple[Provider, ...]], ...] = (
    ("PS memory that Linux lends (dma-heap, u-dma-buf, pynq)", ()),
    ("PL memory through the same allocator", ()),
    ("PL memory, mapped by /dev/mem", ()),
    ("PS memory in huge pages, no kernel module", ()),
    ("PS carve-out, mapped by /dev/mem", ()),
)


def discover(spec: BoardSpec, *, root: Path, claims: Any) -> Discovery:
    """Open what this machine offers of each mode. A provider of several modes is asked once."""
    pools: dict[str, Pool] = {}
    modes: list[Mode] = []
    answers: dict[Provider, Pool | Unavailable] = {}
    for number, (title, providers) in enumerate(PROVIDERS, 1):
        refusals: list[Unavailable] = []
        for provider in providers:
            if provider not in answers:
                answers[provider] = provider(spec, root=root, claims=claims)
            answer = answers[provider]
            if isinstance(answer, Unavailable):
                refusals.append(answer)
                continue
            pools[answer.name] = answer
            modes.append(Mode(number, title, (answer.name,)))
            break
        else:
            modes.append(_missing(number, title, refusals))
    return Discovery(pools, tuple(modes))


def _missing(number: int, title: str, refusals: list[Unavailable]) -> Mode:
    if not refusals:
        return Mode(number, title, reason="this version has no provider for it", fix="a later version")
    reasons = dict.fromkeys(refusal.reason for refusal in refusals)
    fixes = dict.fromkeys(refusal.fix for refusal in refusals if refusal.fix)
    return Mode(number, title, reason="; ".join(reasons), fix="; or ".join(fixes))
