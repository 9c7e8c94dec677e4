"""Physically contiguous memory: regions of physical addresses, pools on them, buffers from those."""

from typing import TYPE_CHECKING

from ..lazy import lazy_names
from .address_map import AddressMap
from .buffer import DmaBuffer, span
from .loan import Loan
from .pool import AllocationGuard, Pool
from .region import MappedRegion, Mapper, MemoryType, Region

if TYPE_CHECKING:
    from .stats import BufferCount, PoolStats

__getattr__ = lazy_names(__name__, {"stats": ("BufferCount", "PoolStats")})

__all__ = [
    "AddressMap",
    "AllocationGuard",
    "BufferCount",
    "DmaBuffer",
    "Loan",
    "MappedRegion",
    "Mapper",
    "MemoryType",
    "Pool",
    "PoolStats",
    "Region",
    "span",
]
