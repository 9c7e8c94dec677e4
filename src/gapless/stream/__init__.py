"""Playing and recording: from arrays to converters and back, with the ledger of what passed."""

from .budget import Budget, Limit, compute_budget
from .converter import Bench, Converter, Progress
from .feeding import feed_arrays, feed_source
from .file_recording import FileRecording
from .input import Block, InputStream
from .layout import samples_to_play
from .ledger import Counters, Gap, Ledger
from .loop import Loop
from .monitor import PairMonitor, StreamMonitor
from .output import OutputStream
from .path import Path
from .player import Dac
from .probe import Probe
from .rearm import measure_rearm
from .recorder import Adc, Recording
from .report import Capture, PlayReport, Queue, StreamReport

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
