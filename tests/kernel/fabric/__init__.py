"""A model of the PL on the host beside a guest; docs/kernel-test.md, "A model of the PL on the host"."""

from .run import add_job, run

__all__ = ["add_job", "run"]
