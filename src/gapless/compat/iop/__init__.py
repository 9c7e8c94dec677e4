"""Wrappers of MicroBlaze programs, which PYNQ's tutorials keep in a folder ``iop`` beside the notebook."""
