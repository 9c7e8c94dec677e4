"""Playing and recording: from arrays to converters and back, with the ledger of what passed."""

from .budget import Budget, Limit, compute_budget
from .converter import Bench, Converter, Progress
from .ledger import Counters, Gap, Ledger
from .monitor import StreamMonitor
from .player import Dac
from .probe import Probe
from .recorder import Adc, Recording
from .report import Capture, PlayReport

__all__ = [
    "Adc",
    "Bench",
    "Budget",
    "Capture",
    "Converter",
    "Counters",
    "Dac",
    "Gap",
    "Ledger",
    "Limit",
    "PlayReport",
    "Probe",
    "Progress",
    "Recording",
    "StreamMonitor",
    "compute_budget",
]
