"""Runs in the guest: tells the host what pytest finds and does, one JSON object a line, on the second serial port."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import pytest

RESULTS = Path("/dev/ttyPS1")


class _Reporter:
    """Sends an event for the collection, for each test that ended, and for the end."""

    def __init__(self) -> None:
        self._port = RESULTS.open("w", encoding="ascii")
        self._tests: dict[str, dict[str, Any]] = {}

    def send(self, event: str, **fields: Any) -> None:
        self._port.write(json.dumps({"event": event, **fields}) + "\n")
        self._port.flush()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            self._tests[item.nodeid] = {
                "modes": _marked(item, "mode"),
                "needs": _marked(item, "needs"),
                "claims": _marked(item, "claim"),
                "outcome": "passed",
                "seconds": 0.0,
                "reason": "",
            }
        self.send("collected", release=platform.release(), tests=sorted(self._tests))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.outcome != "passed":
            self.send("not collected", name=report.nodeid, reason=str(report.longrepr))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = self._tests[report.nodeid]
        test["seconds"] += report.duration
        if hasattr(report, "wasxfail"):
            test.update(
                outcome="failed", reason="marked as an expected failure: here a test passes, fails or is not offered"
            )
        elif report.failed:
            test.update(outcome="failed", reason=f"{test['reason']}{report.longreprtext}\n")
        elif report.skipped and isinstance(report.longrepr, tuple):
            test.update(outcome="skipped", reason=report.longrepr[2].removeprefix("Skipped: "))
        if report.when == "teardown":
            self.send("test", name=report.nodeid, **test)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        self.send("end", status=int(exitstatus))


def _marked(item: pytest.Item, name: str) -> list[Any]:
    return sorted({argument for mark in item.iter_markers(name) for argument in mark.args})


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "mode(number): shows that this way to memory (1 to 5) works")
    config.addinivalue_line("markers", "needs(word): may be skipped on a kernel that does not offer this")
    config.addinivalue_line("markers", "claim(words): shows that what the words say is true")
    config.pluginmanager.register(_Reporter())


@pytest.fixture(scope="session")
def cmdline() -> str:
    """What the kernel was booted with."""
    return Path("/proc/cmdline").read_text()
