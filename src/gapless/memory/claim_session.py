"""One look at the registry of claims, and what is claimed in it."""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..errors import AddressError, BadArgumentError, TakenError
from ..units import format_address, format_size
from .claims_file import Claim, Holdings
from .owner import Owner

#: Only files of this name are removed for the dead: what the registry says is not worth more than this.
FILE_PREFIX = "gapless"


class Session:
    """What :meth:`Claims.session` gives: the registry while nobody else can change it.

    Attributes:
        others: the ranges that other owners have, with those of the dead that could not be taken back
            (``quarantine`` says why).
        engines: the engines that other owners have, each with the reason why it is not given out although its
            owner died (empty while that one lives).
    """

    def __init__(
        self,
        owner: Owner,
        everybody: dict[Owner, Holdings],
        kept: dict[Owner, str],
        draft: Holdings,
        released: deque[tuple[int, int]],
    ) -> None:
        self._owner, self.draft = owner, draft
        self._released, self._settled = released, list[tuple[int, int]]()
        self.others = tuple(
            replace(claim, quarantine=kept.get(holder, ""))
            for holder, holdings in everybody.items()
            for claim in holdings.ranges.values()
        )
        self.engines = tuple(
            (engine, kept.get(holder, ""))
            for holder, holdings in everybody.items()
            for engine in holdings.engines.values()
        )

    def add(self, base: int, nbytes: int, what: str, *, path: Path | str | None = None) -> None:
        """Claim ``nbytes`` from ``base`` on for ``what``.

        Args:
            path: a file to remove when we die: an absolute path to a file whose name begins with ``gapless``.

        Raises TakenError when another program has part of it, AddressError when we have.
        """
        self.settle()
        if nbytes < 1 or base < 0:
            raise BadArgumentError(f"{nbytes} bytes at {base}: a claim is of one byte or more, at an address")
        if path is not None and not removable(str(path)):
            raise BadArgumentError(f"{path}: a claimed file has an absolute path and a name that begins with gapless")
        asked = f"{format_size(nbytes)} at {format_address(base)} for {what}"
        for claim in self.others:
            if claim.overlaps(base, nbytes):
                part = f"{format_size(claim.nbytes)} at {format_address(claim.base)}, {claim.what}"
                raise taken(f"{asked} (in it {part})", claim.owner, claim.since, claim.quarantine)
        for claim in self.draft.ranges.values():
            if claim.overlaps(base, nbytes):
                raise AddressError(
                    f"{asked} is claimed already: {format_size(claim.nbytes)} at {format_address(claim.base)}, "
                    f"{claim.what}"
                )
        self.draft.ranges[base, nbytes] = Claim(
            base, nbytes, what, time.time(), None if path is None else str(path), self._owner
        )

    def remove(self, base: int, nbytes: int) -> None:
        """Give back a range as it was added. AddressError when it was not."""
        self.settle()
        if self.draft.ranges.pop((base, nbytes), None) is None:
            raise AddressError(f"{format_size(nbytes)} at {format_address(base)} was not claimed by this board")

    def abandon(self, draft: Holdings) -> None:
        """Go back to ``draft``, without what was released: that stays so."""
        self.draft = draft
        for key in self._settled:
            draft.ranges.pop(key, None)

    def settle(self) -> list[tuple[int, int]]:
        """Take out what was released meanwhile, before it may be added anew; all of this session is returned."""
        with suppress(IndexError):
            while True:
                self._settled.append(self._released.popleft())
                self.draft.ranges.pop(self._settled[-1], None)
        return self._settled


def removable(path: str) -> bool:
    """Whether a file may be removed because the registry says so."""
    # Root removes these on the word of whoever may write the registry.
    return os.path.isabs(path) and os.path.basename(path).startswith(FILE_PREFIX)


def taken(asked: str, owner: Owner, since: float, quarantine: str) -> TakenError:
    """The error for what ``owner`` has, or had when it died."""
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since))
    who = f"pid {owner.pid} ({owner.command})"
    if quarantine:
        text = f"{asked} is kept back: {who} had it since {when}; {quarantine}. Stop the engine, or reset the board"
    else:
        text = f"{asked} is taken: {who} has it since {when}. Ask for other memory or another engine, or end that one"
    return TakenError(text, pid=owner.pid, command=owner.command, since=since)
