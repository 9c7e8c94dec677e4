"""Physically contiguous memory: regions of physical addresses, pools on them, buffers from those."""

from .address_map import AddressMap
from .buffer import DmaBuffer, span
from .loan import Loan
from .pool import AllocationGuard, Pool
from .region import MappedRegion, Mapper, MemoryType, Region
from .stats import BufferCount, PoolStats

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
