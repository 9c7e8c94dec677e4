"""Names of a package whose modules are loaded when they are first asked for (PEP 562): start-up stays short."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(package: str, modules: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """A ``__getattr__`` for ``package``: the ``modules`` of it by name, with the names that each provides."""
    origin = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> Any:
        if name in modules:
            return importlib.import_module(f"{package}.{name}")
        if name not in origin:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{origin[name]}"), name)
        setattr(importlib.import_module(package), name, value)  # asked for once
        return value

    return load
