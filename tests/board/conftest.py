"""What several tests on a virtual board need."""

from pathlib import Path

import pytest


@pytest.fixture
def firmware():
    """The path of a program for tests, by its name; their sources are in firmware/test."""
    return lambda name: Path(__file__).parent / "firmware" / f"{name}.bin"
