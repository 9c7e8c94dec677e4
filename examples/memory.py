"""Contiguous memory as numpy arrays that know where they are."""

import numpy as np

import gapless

with gapless.open("virtual:zcu111?ps=32GiB") as board:
    pool = board.memory["ps-carveout"]

    # 1 GiB at an exact place; the range crosses a 4 GiB boundary.
    with pool.allocate(1 << 29, np.int16, address=0x8_E000_0000) as buffer:
        buffer[:4] = [1, 2, 3, 4]
        print(f"{buffer.nbytes:,} bytes at 0x{buffer.physical_address:_X}")
        print(f"a slice knows its own address: 0x{buffer[1000:].physical_address:_X}")
        print(f"a computation is a plain array: {type(buffer[:4] + 1).__name__}")
        print(pool.stats())

    # For an engine with 32-bit addresses.
    low = board.memory["ps-cma"].allocate((4, 1024), np.int32, below=1 << 32)
    print(f"below 4 GiB: 0x{low.physical_address:_X}")
    low.free()
