"""Runs unmodified scripts and notebooks written for PYNQ, in a process of their own."""
