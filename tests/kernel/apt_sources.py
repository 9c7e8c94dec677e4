"""The Debian archives this machine uses, as sources for a private apt: both formats of sources.list(5) are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

#: The release of the guest's userland, kernels and QEMU, whatever the host runs.
RELEASE = "bookworm"
#: How this and other releases name the same two archives.
_MAIN = re.compile(r"(bookworm|trixie|forky|sid|stable|testing|unstable)(-updates|-backports)?")
_SECURITY = re.compile(r"(bookworm|trixie|forky|stable|testing)-security")


@dataclass(frozen=True)
class Archive:
    """One archive: its URI, and what the machine says about its keys."""

    uri: str
    options: tuple[tuple[str, str], ...]
    security: bool

    def stanza(self) -> str:
        """The archive as a deb822 source of what the tests need of :data:`RELEASE`."""
        suites = f"{RELEASE}-security" if self.security else f"{RELEASE} {RELEASE}-updates {RELEASE}-backports"
        options = "".join(f"{name}: {value}\n" for name, value in self.options)
        return f"Types: deb\nURIs: {self.uri}\nSuites: {suites}\nComponents: main\n{options}\n"


def archives(etc_apt: Path = Path("/etc/apt")) -> list[Archive]:
    """Debian's archives among the machine's sources, main before security; others' are left out."""
    found: dict[str, Archive] = {}
    for path in [etc_apt / "sources.list", *sorted((etc_apt / "sources.list.d").glob("*"))]:
        if not path.is_file() or path.suffix not in (".list", ".sources"):
            continue
        text = path.read_text()
        for source in _deb822(text) if path.suffix == ".sources" else _one_line(text):
            for uri in source["uris"].split():
                archive = _archive(uri, source)
                if archive is not None:
                    found.setdefault(uri, archive)
    return sorted(found.values(), key=lambda archive: archive.security)


def _archive(uri: str, source: dict[str, str]) -> Archive | None:
    # A mirror of Debian's has "debian" in its path; somebody else's archive may well have a suite of this name.
    if "deb" not in source["types"].split() or "main" not in source["components"].split():
        return None
    if source.get("enabled", "yes").strip() == "no" or "/debian" not in uri:
        return None
    suites = source["suites"].split()
    options = tuple((name, source[name]) for name in ("signed-by", "trusted") if name in source)
    if any(map(_SECURITY.fullmatch, suites)):
        return Archive(uri, options, security=True)
    return Archive(uri, options, security=False) if any(map(_MAIN.fullmatch, suites)) else None


def _deb822(text: str) -> list[dict[str, str]]:
    """Read stanzas; a value's continuation lines, as a key written out has, stay as they are."""
    sources = []
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n\s*\n", "\n".join(lines)):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line[:1].isspace() and name:
                fields[name] += f"\n{line}"
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if {"types", "uris", "suites", "components"} <= fields.keys():
            sources.append(fields)
    return sources


def _one_line(text: str) -> list[dict[str, str]]:
    """Read `deb [option=value ...] uri suite component ...`."""
    sources = []
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#]+)", line)
        if match:
            options, uri, suite, components = match.groups()
            pairs = dict(option.split("=", 1) for option in (options or "").split() if "=" in option)
            sources.append({**pairs, "types": "deb", "uris": uri, "suites": suite, "components": components})
    return sources
