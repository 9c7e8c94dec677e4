"""Our model of the MicroBlaze beside QEMU's: the same random programs on both, and the same words disassembled."""
