"""Names that are loaded when they are asked for are there like any other."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

PACKAGES = ["gapless.samples", "gapless.stream"]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_that_is_announced_is_there(package):
    module = importlib.import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="frobnicate"):
        module.frobnicate  # noqa: B018


@pytest.mark.parametrize(
    ("expression", "unloaded"),
    [
        ("gapless.samples.interleaving.CHANNELS", "gapless.samples.interleaving"),
        ("gapless.samples.check_counter", "gapless.samples.counter"),
        ("gapless.stream.Budget", "gapless.stream.budget"),
        ("gapless.stream.loop.Loop", "gapless.stream.loop"),
    ],
)
def test_a_module_is_loaded_when_it_is_asked_for(expression, unloaded):
    program = f"""
import sys, gapless
assert {unloaded!r} not in sys.modules, "loaded at start-up"
assert {expression} is not None
assert {unloaded!r} in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
