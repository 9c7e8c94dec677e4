"""Playing and recording: from arrays to converters and back, with the ledger of what passed."""

from .budget import Budget, Limit, compute_budget
from .converter import Bench, Converter, Progress
from .ledger import Gap, Ledger
from .monitor import PairMonitor, StreamMonitor
from .path import Path
from .player import Dac
from .probe import Probe
from .rearm import measure_rearm
from .recorder import Adc, Recording
from .report import Capture, PlayReport

__all__ = [
    "Adc",
    "Bench",
    "Budget",
    "Capture",
    "Converter",
    "Dac",
    "Gap",
    "Ledger",
    "Limit",
    "PairMonitor",
    "Path",
    "PlayReport",
    "Probe",
    "Progress",
    "Recording",
    "StreamMonitor",
    "compute_budget",
    "measure_rearm",
]
