"""The PS's own DMA controllers: memory to memory, with no bitstream (UG1085, "DMA Controller")."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

from ..boards import ZdmaSpec
from ..bus import RegisterBus
from ..errors import BoardClosedError, UnknownNameError, UnsupportedError, WaitTimeoutError
from ..memory import Buffer, Pool
from ..units import format_time
from .zdma_channel import Copied, ZdmaChannel

#: Seconds of real time that a copy waits for a channel that another thread or program has.
_CLAIM_TIMEOUT = 60.0
#: Other programs do not tell when they are done (seconds).
_CLAIM_POLL = 0.05


def _nobody_else(_name: str) -> Callable[[], None]:
    return lambda: None


class Zdma:
    """``board.zdma``: the channels, by index or name; see docs/zdma.md.

    Args:
        bus: the register bus they are on.
        specs: the channels.
        pool: where lists of descriptors are allocated; None: where the source of a copy is. The board may set it
            later (the attribute).
        reserve: called with a channel's name before it is used: keeps other programs from using it, and returns
            what gives it up; None when another program has it. By default there is no other program.

    Threads may share it: each transfer has a channel of its own for as long as it takes. Two of them on the same
    channels would not know of each other: a program has one.
    """

    def __init__(
        self,
        bus: RegisterBus,
        specs: Iterable[ZdmaSpec],
        *,
        pool: Pool | None = None,
        reserve: Callable[[str], Callable[[], None] | None] = _nobody_else,
    ) -> None:
        self.pool = pool
        self._channels = {spec.name: ZdmaChannel(bus, spec, self._claim, lambda: self.pool) for spec in specs}
        self._reserve = reserve
        self._changed = threading.Condition()
        self._taken: set[str] = set()
        self._closed = False

    def __getitem__(self, which: int | str) -> ZdmaChannel:
        """Channel number ``which``, or the one of that name; UnknownNameError lists the names."""
        names = list(self._channels)
        name = names[which] if isinstance(which, int) and -len(names) <= which < len(names) else which
        if not isinstance(name, str) or name not in self._channels:
            raise UnknownNameError("ZDMA channel", which, names)
        return self._channels[name]

    def __iter__(self) -> Iterator[ZdmaChannel]:
        return iter(self._channels.values())

    def __len__(self) -> int:
        return len(self._channels)

    def __repr__(self) -> str:
        return f"<Zdma: {', '.join(self._channels) or 'no channels'}>"

    def copy(
        self,
        src: Buffer,
        dst: Buffer,
        *,
        timeout: float | None = None,
        channel: int | str | None = None,
        pool: Pool | None = None,
    ) -> Copied:
        """Copy ``src`` to ``dst`` by hardware, from any memory to any memory, and wait.

        Args:
            src, dst: buffers or contiguous slices, in any dtype and at any address, of the same number of bytes.
            timeout: seconds of bus time; by default what 50 MB/s would take, and 0.1 s.
            channel: index or name; by default the first one that is free.
            pool: where descriptors are allocated; memory in one stretch of less than 1 GiB needs none.

        Raises:
            BadArgumentError: not in DMA memory, different lengths, or the two overlap.
            WaitTimeoutError: not done in time; the channel was stopped.
            DmaError: the channel reported an error (DmaSlaveError, SgSlaveError, DmaStateError).
            UnsupportedError: the board has no channel.
        """
        if not self._channels:
            raise UnsupportedError("this board has no ZDMA channel: copy with numpy")
        chosen = self.first_free() if channel is None else self[channel]
        return chosen.copy(src, dst, timeout=timeout, pool=pool)

    def close(self) -> None:
        """Nothing can be started any more; what is under way ends with an error, by its bus or here."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def first_free(self) -> ZdmaChannel:
        """The first channel that nobody uses now, here or in another program; the first of all when each is used."""
        with self._changed:
            for channel in self:
                give_up = None if channel.name in self._taken else self._reserve(channel.name)
                if give_up is not None:
                    give_up()
                    return channel
        return self[0]

    def _claim(self, channel: ZdmaChannel) -> Callable[[], None]:
        """Wait until ``channel`` is nobody's, take it, and return what gives it back."""
        deadline = time.monotonic() + _CLAIM_TIMEOUT
        with self._changed:
            while True:
                if self._closed:
                    raise BoardClosedError(f"{channel.name}: the board was closed")
                give_up = None if channel.name in self._taken else self._reserve(channel.name)
                if give_up is not None:
                    break
                if time.monotonic() >= deadline:
                    who = "a thread of this program" if channel.name in self._taken else "another program"
                    raise WaitTimeoutError(
                        f"waited {format_time(_CLAIM_TIMEOUT)} for ZDMA channel {channel.name}: {who} uses it; "
                        f"the channels are {', '.join(self._channels)}"
                    )
                self._changed.wait(_CLAIM_POLL)
            self._taken.add(channel.name)

        def give_back() -> None:
            with self._changed:
                self._taken.discard(channel.name)
                give_up()
                self._changed.notify_all()

        return give_back
