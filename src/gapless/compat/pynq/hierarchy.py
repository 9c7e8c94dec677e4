"""DefaultHierarchy: what is in a hierarchy of the design, as attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import BadArgumentError, UnsupportedError
from .binding import hierarchy_drivers
from .described import describe, table
from .device import Device
from .ip_map import IPMap


class DefaultHierarchy(IPMap):
    """A hierarchy: its IP, memories, interrupts and hierarchies are attributes.

    A class that inherits from it and defines ``checkhierarchy`` itself is the driver of the hierarchies for which that
    is true, in overlays that are made from then on; of several, the class that was made last.

    Source of names and rules: PYNQ 3, ``pynq/overlay.py``.

    Args:
        description: what is in it: ``ip``, ``hierarchies``, ``interrupts``, ``gpio`` and ``memories`` by name, and its
            ``fullpath``, ``device`` and ``overlay``, as in ``Overlay.hierarchy_dict``.

    Attributes:
        description: as given.
        device: that it is on.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take the class for hierarchies, if it says which."""
        super().__init_subclass__(**kwargs)
        if "checkhierarchy" in cls.__dict__:
            hierarchy_drivers.insert(0, cls)

    def __init__(self, description: dict[str, Any]) -> None:
        if not isinstance(description, Mapping) or not {"ip", "hierarchies", "fullpath"} <= set(description):
            raise BadArgumentError(f"description {description!r}: an entry of overlay.hierarchy_dict is asked for")
        super().__init__(description)
        self.description = description
        self.device: Device = description["device"]
        self._overlay = description.get("overlay")
        describe(self, description["fullpath"].rpartition("/")[2], self._text())

    @staticmethod
    def checkhierarchy(description: Mapping[str, Any]) -> bool:
        """Whether this class is the driver of such a hierarchy. Subclasses say so; here it is false."""
        return False

    @classmethod
    def unregister(cls) -> None:
        """Take the class for no hierarchy any more."""
        if cls in hierarchy_drivers:
            hierarchy_drivers.remove(cls)

    def download(self, bitfile_name: str, dtbo: str | None = None, program: bool = True) -> None:
        """Not here: UnsupportedError. ``Bitstream(path, partial=True).download()`` loads a part of the PL."""
        raise UnsupportedError(
            f"{self.description['fullpath']}.download({bitfile_name!r}): the names of a partial design are not merged "
            "into the overlay's here; pynq.Bitstream(path, partial=True).download() loads it on a real board"
        )

    def _text(self) -> str:
        """What it is and has, for help()."""
        has = self.description
        rows: list[tuple[str, ...]] = [("attribute", "is", "driver")]
        for name, entry in {**has["hierarchies"], **has["ip"]}.items():
            kind = entry["driver"]
            rows.append((name, entry.get("type", "hierarchy"), f"{kind.__module__}.{kind.__name__}"))
        return f"Hierarchy {has['fullpath']}.\n\n{table(rows) if len(rows) > 1 else ''}\n\n{type(self).__doc__ or ''}"
