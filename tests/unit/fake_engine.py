"""An AXI DMA's MM2S channel with scatter-gather on plain memory, served by a thread: for drivers on a real bus.

Plain memory has no write-one-to-clear bits, so an acknowledgement is seen as the word that the driver writes.
"""

import threading
import time
from collections.abc import Callable

import numpy as np

RUN, RESET = 1, 4
HALTED, IOC, ACKNOWLEDGED = 1, 0x1000, 0x7000
COMPLETE, LENGTH = 1 << 31, (1 << 26) - 1


class FakeMm2s:
    """Copies what its descriptors point to into ``sent``; ``irq`` is called with the level of its line.

    ``memory`` (uint8) is at physical ``base``. It serves a descriptor as soon as it is written, tail or not.
    """

    def __init__(self, memory: np.ndarray, base: int, irq: Callable[[bool], None]) -> None:
        self.registers = np.zeros(0x1000, np.uint8)
        self.sent: list[bytes] = []
        self.stalled = False
        self._words = self.registers.view(np.uint32)
        self._words[1] = HALTED
        self._memory, self._base, self._irq = memory, base, irq
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "FakeMm2s":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join(10)

    @property
    def running(self) -> bool:
        return bool(self._words[0] & RUN)

    def _serve(self) -> None:
        words, at = self._words, None
        while not self._stop.is_set():
            if words[1] == ACKNOWLEDGED:
                words[1] = 0
                self._irq(False)
            if words[0] & RESET:
                words[0], words[1], at = 0, HALTED, None
            elif not words[0] & RUN:
                words[1], at = HALTED, None
            elif words[4]:  # a tail was written
                words[1] &= ~np.uint32(HALTED)
                at = int(words[2]) | int(words[3]) << 32 if at is None else at
                if not self.stalled:
                    at = self._send(at)
            time.sleep(20e-6)

    def _send(self, at: int) -> int:
        while True:
            descriptor = self._memory[at - self._base :][:64].view(np.uint32)
            length = int(descriptor[6]) & LENGTH
            if descriptor[7] or not length:
                return at
            source = (int(descriptor[2]) | int(descriptor[3]) << 32) - self._base
            self.sent.append(self._memory[source : source + length].tobytes())
            at = int(descriptor[0]) | int(descriptor[1]) << 32
            descriptor[7] = COMPLETE | length
            self._words[1] = IOC
            self._irq(True)
