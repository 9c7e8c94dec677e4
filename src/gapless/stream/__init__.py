"""Playing and recording: from arrays to converters and back, with the ledger of what passed."""

from typing import TYPE_CHECKING

from ..lazy import lazy_names
from .converter import Bench, Converter, Progress
from .layout import samples_to_play
from .monitor import PairMonitor, StreamMonitor
from .path import Path
from .player import Dac
from .probe import Probe
from .recorder import Adc, Recording

if TYPE_CHECKING:
    from .budget import Budget, Limit, compute_budget
    from .feeding import feed_arrays, feed_source
    from .file_recording import FileRecording
    from .input import Block, InputStream
    from .ledger import Counters, Gap, Ledger
    from .loop import Loop
    from .output import OutputStream
    from .rearm import measure_rearm
    from .report import Capture, PlayReport, Queue, StreamReport

__getattr__ = lazy_names(
    __name__,
    {
        "budget": ("Budget", "Limit", "compute_budget"),
        "feeding": ("feed_arrays", "feed_source"),
        "file_recording": ("FileRecording",),
        "input": ("Block", "InputStream"),
        "ledger": ("Counters", "Gap", "Ledger"),
        "loop": ("Loop",),
        "output": ("OutputStream",),
        "rearm": ("measure_rearm",),
        "report": ("Capture", "PlayReport", "Queue", "StreamReport"),
    },
)

__all__ = [
    "Adc",
    "Bench",
    "Block",
    "Budget",
    "Capture",
    "Converter",
    "Counters",
    "Dac",
    "FileRecording",
    "Gap",
    "InputStream",
    "Ledger",
    "Limit",
    "Loop",
    "OutputStream",
    "PairMonitor",
    "Path",
    "PlayReport",
    "Probe",
    "Progress",
    "Queue",
    "Recording",
    "StreamMonitor",
    "StreamReport",
    "compute_budget",
    "feed_arrays",
    "feed_source",
    "measure_rearm",
    "samples_to_play",
]
