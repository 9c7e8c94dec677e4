"""The DMA engines: AXI DMA in the PL, ZDMA in the PS. Drivers, descriptors, errors."""

from .axi_dma import AxiDma, Recovery
from .channel import RING_DESCRIPTORS, Channel
from .cyclic import Cyclic
from .leaving import leave_at_exit
from .pieces import check_span, cut_runs, piece_bytes, split, split_runs
from .registers import DESCRIPTOR, DESCRIPTOR_BYTES, Control, Status
from .ring import DescriptorRing
from .transfer import Moved, Transfer
from .zdma import Zdma
from .zdma_channel import Copied, ZdmaChannel

__all__ = [
    "DESCRIPTOR",
    "DESCRIPTOR_BYTES",
    "RING_DESCRIPTORS",
    "AxiDma",
    "Channel",
    "Control",
    "Copied",
    "Cyclic",
    "DescriptorRing",
    "Moved",
    "Recovery",
    "Status",
    "Transfer",
    "Zdma",
    "ZdmaChannel",
    "check_span",
    "cut_runs",
    "leave_at_exit",
    "piece_bytes",
    "split",
    "split_runs",
]
