"""What a kernel does between two notebooks that it executes one after the other, on one board."""

from __future__ import annotations

import gc
import json
import os
from typing import Any

from ..pynq.board_in_use import board_in_use


def begin(folder: str) -> None:
    """Forget the notebook before, variables and outputs, and print what memory is used now.

    What a notebook has left behind is then what nobody can refer to any more. The next one works in ``folder``.
    """
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()  # type: ignore[no-untyped-call]
    shell.reset(new_session=True)
    gc.collect()
    os.chdir(folder)
    print(json.dumps({name: pool.stats().as_dict() for name, pool in board_in_use().memory.items()}))
