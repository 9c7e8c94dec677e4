"""MicroBlaze subsystems, as PYNQ's programs import them."""

from .pynqmicroblaze import MBInterruptEvent, MicroblazeHierarchy, PynqMicroblaze
from .rpc import MicroblazeLibrary, MicroblazeProgram, MicroblazeRPC

__all__ = [
    "MBInterruptEvent",
    "MicroblazeHierarchy",
    "MicroblazeLibrary",
    "MicroblazeProgram",
    "MicroblazeRPC",
    "PynqMicroblaze",
]
