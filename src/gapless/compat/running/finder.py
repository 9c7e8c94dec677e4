"""``import pynq`` and ``import iop`` as gapless has them. Installed only in a process that runs others' code."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType


class _Alias(Loader):
    """Gives the very module that has another name."""

    def __init__(self, real: str) -> None:
        self._module = importlib.import_module(real)
        self._spec = self._module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has written the alias's over it


class AliasFinder(MetaPathFinder):
    """Finds a package, and all that is in it, under another name: ``name.a.b`` is the module ``real.a.b``.

    Args:
        name: top-level name that programs import.
        real: the package that it is.
        complete: nothing of that name may come from elsewhere, so what is not there is an error that says so. Else
            what the program has of that name comes first, module by module.
    """

    def __init__(self, name: str, real: str, *, complete: bool) -> None:
        self._name, self._real, self._complete = name, real, complete

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of that name, None for others' names."""
        head, _, rest = fullname.partition(".")
        if head != self._name:
            return None
        real = f"{self._real}.{rest}" if rest else self._real
        if not self._complete and not self._is_ours(path) and PathFinder.find_spec(fullname, path) is not None:
            return None
        if importlib.util.find_spec(real) is not None:
            return ModuleSpec(fullname, _Alias(real), is_package=True)
        if not self._complete:
            return None
        raise ModuleNotFoundError(
            f"No module named {fullname!r}: gapless stands in for {self._name}, and has not all of it (see "
            f"{self._real})",
            name=fullname,
        )

    def _is_ours(self, path: Sequence[str] | None) -> bool:
        # On our own folder Python would find the file, and make a second module of it.
        return path is not None and sys.modules.get(self._name) is sys.modules.get(self._real)


def install() -> None:
    """From now on ``pynq`` is ours, whatever is installed; ``iop`` is, where the program has none beside it."""
    sys.meta_path.insert(0, AliasFinder("pynq", "gapless.compat.pynq", complete=True))
    sys.meta_path.insert(0, AliasFinder("iop", "gapless.compat.iop", complete=False))
