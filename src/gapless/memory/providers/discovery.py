"""Which of the five ways to memory this machine offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

from ...boards import BoardSpec
from ..claims import Claims
from ..pool import Pool
from .availability import Discovery, Mode, Unavailable
from .devmem import carve_out, pl_memory
from .hugepages import hugepages
from .ps_cma import ps_cma


class Provider(Protocol):
    """Opens a pool, or says why there is none.

    ``root`` is where /proc, /sys, /dev and /run are; ``claims`` is the registry of who has which range.
    """

    def __call__(self, spec: BoardSpec, *, root: Path, claims: Claims) -> Pool | Unavailable:  # noqa: D102
        ...


#: For each mode its title, its pool and who provides that: the first that has one is taken.
PROVIDERS: tuple[tuple[str, str, tuple[Provider, ...]], ...] = (
    ("PS memory that Linux lends (dma-heap, u-dma-buf, pynq)", "ps-cma", (ps_cma,)),
    ("PL memory through the same allocator", "pl-ddr", (pl_memory,)),
    ("PL memory, mapped by /dev/mem", "pl-ddr", (pl_memory,)),
    ("PS memory in huge pages, no kernel module", "ps-hugepages", (hugepages,)),
    ("PS carve-out, mapped by /dev/mem", "ps-carveout", (carve_out,)),
)


def discover(
    spec: BoardSpec,
    *,
    root: Path,
    claims: Claims,
    prove: Callable[[Mapping[str, Pool], int, int], bytes] | None = None,
) -> Discovery:
    """Open what this machine offers of each mode. A provider of several modes is asked once.

    ``prove`` reads, by a DMA engine, bytes at a physical address, into memory of the pools it is given: see
    :func:`ps_cma`, which has to find out where its memory is.
    """
    pools: dict[str, Pool] = {}
    modes: dict[int, Mode] = {}
    answers: dict[Provider, Pool | Unavailable] = {}
    # The last mode first: what the first one gets may have to be proved with the help of the others' memory.
    for number, (title, pool, providers) in sorted(enumerate(PROVIDERS, 1), reverse=True):
        refusals: list[Unavailable] = []
        for provider in providers:
            if provider not in answers:
                proof = None if prove is None else partial(prove, pools)
                provide = partial(ps_cma, prove=proof) if provider is ps_cma else provider
                answers[provider] = provide(spec, root=root, claims=claims)
            answer = answers[provider]
            if isinstance(answer, Unavailable):
                refusals.append(answer)
                continue
            pools[answer.name] = answer
            modes[number] = Mode(number, title, pool, (answer.name,))
            break
        else:
            modes[number] = _missing(number, title, pool, refusals)
    in_order = {name: pools[name] for _, name, _ in PROVIDERS if name in pools}
    return Discovery(in_order, tuple(modes[number] for number in sorted(modes)))


def _missing(number: int, title: str, pool: str, refusals: list[Unavailable]) -> Mode:
    if not refusals:
        return Mode(number, title, pool, reason="this version has no provider for it", fix="a later version")
    reasons = dict.fromkeys(refusal.reason for refusal in refusals)
    fixes = dict.fromkeys(refusal.fix for refusal in refusals if refusal.fix)
    return Mode(number, title, pool, reason="; ".join(reasons), fix="; or ".join(fixes))
