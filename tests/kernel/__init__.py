"""Tests of gapless on a real Linux: Debian arm64 kernels on QEMU's ZCU102. docs/kernel-test.md has the whole story."""
