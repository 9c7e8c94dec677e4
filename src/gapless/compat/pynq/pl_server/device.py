"""Device, where PYNQ's programs import it from."""

from ..device import Device

__all__ = ["Device"]
