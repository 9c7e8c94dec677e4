"""What boards are made of, as data: address map, pools, ports, DMA engines, converters."""

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
    "MemoryKind",
    "MemorySpec",
    "PairSpec",
    "PoolSpec",
    "PortSpec",
    "StreamFifoSpec",
    "ZdmaSpec",
]
