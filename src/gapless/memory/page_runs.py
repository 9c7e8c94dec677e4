"""Which of the pages that the kernel gave make the best buffer."""

from __future__ import annotations

from collections.abc import Iterable

from .lease import Runs


def runs_of(pages: Iterable[int], page: int) -> Runs:
    """Physical addresses of pages of ``page`` bytes, in the order given, with neighbours put together."""
    runs: list[tuple[int, int]] = []
    for address in pages:
        if runs and sum(runs[-1]) == address:
            runs[-1] = runs[-1][0], runs[-1][1] + page
        else:
            runs.append((address, page))
    return tuple(runs)


def choose_pages(
    pages: Iterable[int], page: int, count: int, *, align: int = 1, below: int | None = None, contiguous: bool = False
) -> list[int] | None:
    """``count`` of the pages at these physical addresses, in the order they are to be mapped in; None: impossible.

    In the smallest run that holds them all at a multiple of ``align``, else, unless ``contiguous``, in as few runs
    as can be, in order of address. All end at or below ``below``. Where ``align`` is more than a page, only one
    run will do.
    """
    usable = sorted(address for address in pages if below is None or address + page <= below)
    runs = runs_of(usable, page)
    fitting = [
        (nbytes, start)
        for first, nbytes in runs
        if (start := -(-first // align) * align) + count * page <= first + nbytes and (start - first) % page == 0
    ]
    if fitting:
        start = min(fitting)[1]
        return [start + index * page for index in range(count)]
    if contiguous or align > page or count > len(usable):
        return None
    return _fewest_runs(runs, page, count)


def _fewest_runs(runs: Runs, page: int, count: int) -> list[int]:
    by_size = sorted(runs, key=lambda run: (-run[1], -run[0]))
    chosen: list[int] = []
    while count:
        enough = [run for run in by_size if run[1] >= count * page]
        # The last one is the smallest that will do: the large ones are for others.
        first, nbytes = enough[-1] if enough else by_size[0]
        by_size.remove((first, nbytes))
        taken = min(count, nbytes // page)
        chosen += range(first, first + taken * page, page)
        count -= taken
    return sorted(chosen)
