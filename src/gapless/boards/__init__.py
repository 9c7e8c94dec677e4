"""What boards are made of, as data: address map, pools, ports, DMA engines, converters, soft processors."""

from typing import TYPE_CHECKING

from ..lazy import lazy_names
from .spec import (
    BoardSpec,
    ConverterSpec,
    DmaSpec,
    MemoryKind,
    MemorySpec,
    PairSpec,
    PoolSpec,
    PortSpec,
    StreamFifoSpec,
    ZdmaSpec,
)

if TYPE_CHECKING:
    from .iop_spec import IopSpec, PeripheralSpec, WindowSpec
    from .ip_spec import IpSpec

__getattr__ = lazy_names(__name__, {"iop_spec": ("IopSpec", "PeripheralSpec", "WindowSpec"), "ip_spec": ("IpSpec",)})

__all__ = [
    "BoardSpec",
    "ConverterSpec",
    "DmaSpec",
    "IopSpec",
    "IpSpec",
    "MemoryKind",
    "MemorySpec",
    "PairSpec",
    "PeripheralSpec",
    "PoolSpec",
    "PortSpec",
    "StreamFifoSpec",
    "WindowSpec",
    "ZdmaSpec",
]
