"""Soft processors in the PL that share memory with Python: programs, reset, mailbox, interrupts."""

from .bench import Fault, IopBench
from .firmware import NAMES as FIRMWARE
from .iop import Iop
from .mailbox import Mailbox
from .pins import Pin, RegisterPin
from .program import Program

__all__ = ["FIRMWARE", "Fault", "Iop", "IopBench", "Mailbox", "Pin", "Program", "RegisterPin"]
