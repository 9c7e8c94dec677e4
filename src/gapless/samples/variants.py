"""The sample kernels of this machine: compiled for several instruction sets, chosen when gapless is imported."""

from __future__ import annotations

from .._native import Kernels, kernel_names

NAMES: tuple[str, ...] = tuple(kernel_names())  # those this machine can run, the best one last
BEST = Kernels(NAMES[-1])
