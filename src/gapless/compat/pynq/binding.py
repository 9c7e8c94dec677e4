"""Which class is the driver of an IP or a hierarchy."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from .device import Device

if TYPE_CHECKING:
    from .hierarchy import DefaultHierarchy
    from .ip import DefaultIP

#: Drivers by the type of IP that they are for: whole ("xilinx.com:ip:axi_gpio:2.0") and without the version.
ip_drivers: dict[str, type[DefaultIP]] = {}
#: Drivers of hierarchies, the one made last first: the first whose ``checkhierarchy`` is true is taken.
hierarchy_drivers: list[type[DefaultHierarchy]] = []


def bind_ip(driver: type[DefaultIP], vlnvs: Any) -> None:
    """Have ``driver`` for these types of IP from now on."""
    for vlnv in vlnvs:
        ip_drivers[vlnv] = ip_drivers[_versionless(vlnv)] = driver


def unbind_ip(driver: type[DefaultIP]) -> None:
    """Have it for none."""
    for vlnv in [vlnv for vlnv, found in ip_drivers.items() if found is driver]:
        del ip_drivers[vlnv]


def assign_drivers(
    description: dict[str, Any], device: Device, overlay: Any, *, ignore_version: bool, default: tuple[Any, Any]
) -> None:
    """Note in a description of a hierarchy, and in what is in it, which class each thing is to be.

    Source of rules: PYNQ 3, ``pynq/overlay.py``: an IP has the driver bound to its type; one that is bound to another
    version of it only with ``ignore_version``, and else a UserWarning says that it is there.

    Args:
        description: ``ip`` and ``hierarchies`` by name; each gets ``device`` and ``driver``, a hierarchy ``overlay``.
        device: that it is on.
        overlay: that it belongs to.
        ignore_version: as of the overlay.
        default: the classes of an IP and of a hierarchy that no driver is for.
    """
    plain_ip, plain_hierarchy = default
    for ip in description["ip"].values():
        ip["device"], ip["driver"] = device, _ip_driver(ip, ignore_version) or plain_ip
    for inner in description["hierarchies"].values():
        assign_drivers(inner, device, overlay, ignore_version=ignore_version, default=default)
        matching = (found for found in hierarchy_drivers if found.checkhierarchy(inner))
        inner.update(device=device, overlay=overlay, driver=next(matching, plain_hierarchy))


def _ip_driver(ip: dict[str, Any], ignore_version: bool) -> type[DefaultIP] | None:
    vlnv = ip["type"]
    if vlnv in ip_drivers:
        return ip_drivers[vlnv]
    bare = _versionless(vlnv)
    if bare not in ip_drivers or ignore_version:
        return ip_drivers.get(bare)
    others = [name for name in ip_drivers if name.startswith(f"{bare}:")]
    warnings.warn(
        f"IP {ip.get('fullpath', vlnv)} is of type {vlnv} and driver found for [{', '.join(others)}]. "
        "Use ignore_version=True to use this driver.",
        stacklevel=6,
    )
    return None


def _versionless(vlnv: str) -> str:
    return vlnv.rpartition(":")[0]
