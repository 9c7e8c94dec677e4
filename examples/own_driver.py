"""Drive the DMA by hand: a transfer in direct mode, register by register (PG021, "Direct Register Mode")."""

import numpy as np

import gapless

with gapless.open("virtual:zcu111") as board:
    bus = board.bus
    dma = board.dma("dma_dac0_direct").spec
    board.dac(0).monitor.start(1.024e9)

    with board.memory["pl-ddr"].allocate(1_000_000, np.int16) as buffer:
        buffer[:] = np.arange(1_000_000, dtype=np.int32).astype(np.int16)
        bus.write32(dma.base + 0x00, 0x1001)  # DMACR: run, interrupt on complete
        bus.write32(dma.base + 0x18, buffer.physical_address & 0xFFFFFFFF)  # MM2S_SA
        bus.write32(dma.base + 0x1C, buffer.physical_address >> 32)  # MM2S_SA_MSB
        bus.write32(dma.base + 0x28, buffer.nbytes)  # MM2S_LENGTH: starts it
        assert dma.mm2s_interrupt is not None
        assert bus.wait_interrupt(dma.mm2s_interrupt, timeout=1.0)
        print(f"DMASR 0x{bus.read32(dma.base + 0x04):08X} after {bus.time() * 1e3:.3f} ms of virtual time")
        bus.write32(dma.base + 0x04, 0x1000)  # acknowledge
        bus.write32(dma.base + 0x00, 0)  # stop

    bus.sleep(1e-3)
    print("converted:", board.dac(0).monitor.samples, "samples;", len(board.findings), "findings")
