"""A part of a buffer that somebody has for a while."""

from __future__ import annotations

from ..errors import BufferUseError
from .buffer import Buffer
from .lease import Lease, LoanLease


class Loan:
    """Lends ``view``, a part of a buffer, until :meth:`end`; the buffer lives on.

    Args:
        view: a buffer, whole or in part, of any shape; not itself on loan.
        what: what messages call it, such as "block 7 of dac0's stream".

    Raises:
        BufferFreedError: the buffer was freed.
        BufferUseError: ``view`` is on loan already.

    Attributes:
        array: a buffer on the same memory, shape and dtype as ``view``. It keeps the memory as any view
            does, and cannot be freed. Its views share the loan. After :meth:`end` it is empty.
    """

    def __init__(self, view: Buffer, what: str) -> None:
        lease = view._live_lease()
        if not isinstance(lease, Lease):
            raise BufferUseError(f"{what}: this array is on loan already, as {lease.what}")
        self._lease = LoanLease(lease, what)
        self.array = view._lent(self._lease)

    @property
    def ended(self) -> bool:
        """True after :meth:`end`."""
        return self._lease.reason is not None

    def end(self, reason: str) -> None:
        """Any use of the array or of a view of it raises BlockError(``reason``) from now on.

        A plain array made of it before (``np.asarray``) still reads the memory, which belongs to nobody
        else while such an array lives. A second call does nothing.
        """
        if self._lease.reason is None:
            self._lease.reason = reason
            # What the user's variable still refers to must not keep the memory of a buffer freed later.
            self.array._empty()
