"""``microblaze.py PROGRAM``: the tutorial's program in both IOPs, with a buffer each."""

import sys
import time

from pynq import Overlay, allocate
from pynq.lib import PynqMicroblaze

MAILBOX, WINDOW = 0xF000, 0x2000_0000


def fill(microblaze, buffer, first):
    """Have the program write first, first + 1, ... to the buffer."""
    microblaze.write(MAILBOX + 4, [first, len(buffer)])
    microblaze.write(MAILBOX, buffer.physical_address)
    for _ in range(1000):
        if microblaze.read(MAILBOX) == 0:
            break
        time.sleep(0.001)
    buffer.invalidate()


overlay = Overlay("pynq_tutorial.bit")
for name in ("iop1", "iop2"):
    info = getattr(overlay, name).mb_info
    print(info["ip_name"], info["rst_name"], info["intr_pin_name"], info["intr_ack_name"])
    microblaze = PynqMicroblaze(info, sys.argv[1])
    print(microblaze.state, microblaze.ip_name, microblaze.rst_name)
    with allocate(64, "i4") as buffer:
        fill(microblaze, buffer, 100)
        print(buffer[:4].tolist(), int(buffer[-1]), microblaze.read(MAILBOX + 4, 2))
        microblaze.reset()
        buffer[:] = 0
        microblaze.write(MAILBOX, 0)
        print(microblaze.state, int(buffer.sum()))
        microblaze.run()
        fill(microblaze, buffer, -3)
        print(microblaze.state, buffer[:4].tolist())
    microblaze.reset()
