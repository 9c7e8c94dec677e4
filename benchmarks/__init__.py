"""Benchmarks: both sides in one run, medians, a ratio. ``make bench`` runs them all."""
