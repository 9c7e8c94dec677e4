"""Arduino: an IOP at the Arduino connector, whose program talks through the mailbox as a Pmod's does."""

from __future__ import annotations

from .pmod import MAILBOX_OFFSET, MAILBOX_PY2IOP_CMD_OFFSET, Pmod

__all__ = ["MAILBOX_OFFSET", "MAILBOX_PY2IOP_CMD_OFFSET", "Arduino"]


class Arduino(Pmod):
    """See :class:`Pmod`."""
