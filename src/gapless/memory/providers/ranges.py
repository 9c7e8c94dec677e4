"""Ranges of addresses: put together, cut out of each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

#: First address, last + 1.
Span = tuple[int, int]


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same addresses in order, as few ranges as hold them; empty ones are dropped."""
    merged: list[Span] = []
    for first, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and first <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((first, end))
    return tuple(merged)


def subtract(spans: Iterable[Span], holes: Iterable[Span]) -> tuple[Span, ...]:
    """The addresses that are in ``spans`` and in none of ``holes``; merged."""
    return tuple(_without(merge(spans), merge(holes)))


def intersect(spans: Iterable[Span], others: Iterable[Span]) -> tuple[Span, ...]:
    """The addresses that are in both; merged."""
    ours = merge(spans)
    return subtract(ours, subtract(ours, others))


def total(spans: Iterable[Span]) -> int:
    """Bytes in all; what is in several counts once."""
    return sum(end - first for first, end in merge(spans))


def whole_pages(span: Span, page: int) -> Span:
    """The whole pages (a power of two) inside; empty when there is none."""
    first, end = -(-span[0] // page) * page, span[1] // page * page
    return first, max(first, end)


def _without(spans: Iterable[Span], holes: tuple[Span, ...]) -> Iterator[Span]:
    for start, end in spans:
        first = start
        for low, high in holes:
            if high <= first or low >= end:
                continue
            if first < low:
                yield first, low
            first = high
        if first < end:
            yield first, end
