"""A board of gapless for PYNQ.remote: an unmodified PYNQ 4.0.0 on another machine, or here, uses it through gRPC.

The command is ``gapless serve --pynq-remote``; see docs/pynq-remote.md. Needs the extra ``remote``.
"""

from .designs import Designs
from .server import Settings, Tls, serve

__all__ = ["Designs", "Settings", "Tls", "serve"]
