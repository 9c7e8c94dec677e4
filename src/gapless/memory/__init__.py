"""Physically contiguous memory: regions of physical addresses, pools on them, buffers from those."""

from typing import TYPE_CHECKING

from ..lazy import lazy_names
from .address_map import AddressMap
from .board_pools import Pools, for_descriptors
from .buffer import Buffer, dma_memory, span
from .chunked_pool import ChunkedPool
from .device_buffer import DeviceBuffer, array_on, in_place
from .dma_buffer import DmaBuffer
from .lease import Runs
from .loan import Loan
from .pool import AllocationGuard, Pool
from .range_pool import RangePool
from .region import MappedRegion, Mapper, MemoryType, Region

if TYPE_CHECKING:
    from .claims import Claims
    from .stats import BufferCount, PoolStats

__getattr__ = lazy_names(__name__, {"claims": ("Claims",), "stats": ("BufferCount", "PoolStats")})

__all__ = [
    "AddressMap",
    "AllocationGuard",
    "Buffer",
    "BufferCount",
    "ChunkedPool",
    "Claims",
    "DeviceBuffer",
    "DmaBuffer",
    "Loan",
    "MappedRegion",
    "Mapper",
    "MemoryType",
    "Pool",
    "PoolStats",
    "Pools",
    "RangePool",
    "Region",
    "Runs",
    "array_on",
    "dma_memory",
    "for_descriptors",
    "in_place",
    "span",
]
