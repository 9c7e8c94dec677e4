"""What boards are made of, as data: address map, pools, ports, DMA engines, converters, soft processors."""

from .iop_spec import IopSpec, PeripheralSpec, WindowSpec
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

__all__ = [
    "BoardSpec",
    "ConverterSpec",
    "DmaSpec",
    "IopSpec",
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
