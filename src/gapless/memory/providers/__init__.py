"""Memory that a real Linux gives: each module opens a pool of one kind, or says why there is none."""

from .availability import Discovery, Mode, Unavailable
from .discovery import PROVIDERS, Provider, discover

__all__ = ["PROVIDERS", "Discovery", "Mode", "Provider", "Unavailable", "discover"]
