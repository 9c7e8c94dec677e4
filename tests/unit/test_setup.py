"""The set-up itself: versions, the lock, and that the tests test what was installed."""

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import gapless
from gapless import _native

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def lock() -> dict[str, Requirement]:
    lines = (ROOT / "requirements/lock.txt").read_text().splitlines()
    parsed = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert len(parsed) == len({r.name for r in parsed}), "a package is locked twice"
    return {canonicalize_name(r.name): r for r in parsed}


def wanted_by_pyproject() -> list[Requirement]:
    project = PYPROJECT["project"]
    texts = PYPROJECT["build-system"]["requires"] + project["dependencies"]
    for group in (*project["optional-dependencies"].values(), *PYPROJECT["dependency-groups"].values()):
        texts += group
    return [r for r in map(Requirement, texts) if r.name != project["name"]]


def locked_version(requirement: Requirement) -> str:
    (pin,) = requirement.specifier
    assert pin.operator == "==", f"{requirement} is not an exact version"
    return pin.version


def test_version_is_the_same_everywhere() -> None:
    assert gapless.__version__ == PYPROJECT["project"]["version"]
    assert gapless.__version__ == importlib.metadata.version("gapless")


def test_the_environment_is_the_lock() -> None:
    for name, requirement in lock().items():
        if requirement.marker is None or requirement.marker.evaluate():
            assert importlib.metadata.version(name) == locked_version(requirement), name


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_lock_satisfies_pyproject_and_is_closed(python: str, machine: str) -> None:
    """Walk from pyproject.toml through what each package requires: all of it is locked, and no more."""
    target = {"python_version": python, "python_full_version": f"{python}.0", "platform_machine": machine}
    locked = {name: r for name, r in lock().items() if r.marker is None or r.marker.evaluate(target)}
    reached: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [("pyproject.toml", r, frozenset({""})) for r in wanted_by_pyproject()]
    while todo:
        asker, requirement, extras = todo.pop()
        marker = requirement.marker
        if marker is not None and not any(marker.evaluate({**target, "extra": extra}) for extra in extras):
            continue
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{asker} wants {requirement}, and the lock has no {name} for Python {python}"
        version = locked_version(locked[name])
        assert requirement.specifier.contains(version, prereleases=True), (
            f"{asker} wants {requirement}, and the lock has {version}"
        )
        reached.add(name)
        key = (name, frozenset({"", *requirement.extras}))
        if key in seen:
            continue
        seen.add(key)
        try:
            inner = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            # Locked for another Python than this one: what it wants is checked there.
            assert locked[name].marker is not None
            continue
        todo += [(name, Requirement(text), key[1]) for text in inner]
    assert reached == set(locked), f"locked, and wanted by nothing: {sorted(set(locked) - reached)}"


def test_every_dependency_says_why() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    for requirement in wanted_by_pyproject():
        naming = [line for line in lines if re.match(rf'\s*"{re.escape(requirement.name)}\b[^"]*",', line)]
        # [build-system] lists its two on one line, with the reason above.
        assert naming or requirement.name in {"scikit-build-core", "nanobind"}, requirement
        for line in naming:
            assert re.search(r",\s+# \S", line), f"no reason given: {line.strip()}"


def test_no_file_names_a_machine_or_an_index() -> None:
    """What one machine has, others have not."""
    # Written in halves, so that this file passes.
    folders = [f"/{name}/" for name in ("wo" + "rk", "ro" + "ot")]
    hosts = ["py" + r"pi\.org", "python" + r"hosted\.org"]
    options = ["index" + "-url", "find" + r"-links\b", "trusted" + "-host"]
    forbidden = re.compile(rf"(?<![\w.\-/])(?:{'|'.join(folders)})|{'|'.join(hosts + options)}")
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            text = path.read_bytes().decode(errors="replace")
            found += [f"{name}: {match.group()}" for match in forbidden.finditer(text)]
    assert not found


def test_tests_import_the_installed_package() -> None:
    assert not Path(gapless.__file__).is_relative_to(ROOT / "src")
    assert Path(_native.__file__).parent == Path(gapless.__file__).parent


def test_native_module_is_sanitized_exactly_when_asked() -> None:
    """`make sanitize` would prove nothing if it imported the plain module."""
    sanitized = b"__asan_init" in Path(_native.__file__).read_bytes()
    assert sanitized == (os.environ.get("GAPLESS_SANITIZED") == "1")
