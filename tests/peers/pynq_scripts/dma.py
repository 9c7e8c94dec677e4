"""Direct transfers through the FIFO of the tutorial's design."""

import numpy as np
from pynq import Overlay, allocate

overlay = Overlay("pynq_tutorial.bit")
send = overlay.axi_dma_from_ps_to_pl.sendchannel
receive = overlay.axi_dma_from_pl_to_ps.recvchannel
print(overlay.axi_dma_from_ps_to_pl.recvchannel is None, overlay.axi_dma_from_pl_to_ps.sendchannel is None)
print(overlay.axi_dma_from_pl_to_ps.buffer_max_size, send.running, receive.running, send.error)

random = np.random.default_rng(6)
for nbytes in (8, 1000, 4096, 65_544, 1 << 20, (1 << 23) - 8):
    with allocate(nbytes, "u1") as source, allocate(nbytes, "u1") as sink:
        source[:] = random.integers(0, 256, nbytes, dtype=np.uint8)
        receive.transfer(sink)
        send.transfer(source)
        send.wait()
        receive.wait()
        print(nbytes, np.array_equal(source, sink), send.transferred, receive.transferred, receive.idle, receive.error)

# A part of a buffer into a part of another, and a packet shorter than the room for it.
with allocate(1024, "u4") as source, allocate(1024, "u4") as sink:
    source[:] = np.arange(1024)
    receive.transfer(sink, start=64, nbytes=2048)
    send.transfer(source, start=512, nbytes=128)
    send.wait()
    receive.wait()
    print(receive.transferred, sink[15:18].tolist(), sink[47:49].tolist(), int(np.count_nonzero(sink)))
    for place in ({"start": 4}, {"nbytes": 1 << 23}):
        try:
            send.transfer(source, **place)
            print("taken")
        except (RuntimeError, ValueError) as error:
            print(place, isinstance(error, ValueError))

receive.stop()
print(receive.running)
receive.start()
print(receive.running)
