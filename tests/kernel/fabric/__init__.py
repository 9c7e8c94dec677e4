"""A model of the PL on the host beside a guest; docs/kernel-test.md, "A model of the PL on the host"."""
