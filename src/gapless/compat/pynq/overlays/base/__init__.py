"""BaseOverlay, where programs for PYNQ import it from."""

from .base import BaseOverlay

__all__ = ["BaseOverlay"]
