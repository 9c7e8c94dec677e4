"""A private apt: indexes and packages of any architecture, with the host's dpkg and apt state left alone."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .apt_sources import archives
from .cache import cache

#: What no closure needs unpacked: apt wants them for maintainer scripts, which never run here.
_NEVER_RUN = ("dpkg_", "tar_", "perl-base_", "debconf_", "install-info_")


class DownloadError(Exception):
    """A package could not be had: says which, and what apt said."""


class PrivateApt:
    """apt with its own state for one architecture."""

    def __init__(self, architecture: str) -> None:
        self._architecture = architecture
        self._directory = cache() / f"apt-{architecture}"
        self._configuration = self._directory / "apt.conf"
        self._updated = False

    def closure(self, packages: tuple[str, ...], into: Path, *, release: str | None = None) -> None:
        """Unpack packages and all they depend on into a folder, without running a script of theirs."""
        into.mkdir(parents=True)
        target = ("-t", release) if release else ()
        with tempfile.TemporaryDirectory(dir=self._ready()) as archives_directory:
            (Path(archives_directory) / "partial").mkdir()
            option = f"Dir::Cache::archives={archives_directory}/"
            self._apt("install", "--download-only", "-y", "-o", option, *target, *packages)
            self._unpack(Path(archives_directory), into)

    def download(self, package: str, into: Path, *, only: Sequence[str] = (".",)) -> None:
        """Unpack one package alone, or `only` what patterns match (as in "./boot/*"); `package` may be name=version."""
        into.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=self._ready()) as archives_directory:
            self._apt("download", package, cwd=Path(archives_directory))
            self._unpack(Path(archives_directory), into, only)

    def versions(self, package: str) -> list[tuple[str, str]]:
        """Every version there is of a package, newest first, with what it depends on."""
        self._ready()
        shown = self._run("apt-cache", "show", package)
        stanzas = re.findall(r"^Version: (\S+)$.*?^Depends: ([^\n]*)$", shown, re.MULTILINE | re.DOTALL)
        return [(version, depends) for version, depends in stanzas]

    def _ready(self) -> Path:
        """Write the configuration and fetch the indexes, once for each run that needs a download."""
        if not self._updated:
            for name in ("lists/partial", "archives/partial", "preferences.d"):
                (self._directory / name).mkdir(parents=True, exist_ok=True)
            (self._directory / "status").touch()
            sources = archives()
            if not sources:
                raise DownloadError("no Debian archive in /etc/apt: kernel-test downloads its kernels from one")
            text = "\n".join(archive.stanza() for archive in sources)
            (self._directory / "debian.sources").write_text(text)
            self._configuration.write_text(self._settings())
            self._apt("update")
            self._updated = True
        return self._directory

    def _settings(self) -> str:
        """How to reach the archives (proxy, dates, retries) is the machine's; everything else is ours.

        The machine's other settings stay out: among them are commands to run after an update.
        """
        dumped = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
        kept = [
            line
            for line in dumped.splitlines()
            if line.startswith("Acquire::") and not line.startswith(("Acquire::IndexTargets", "Acquire::Languages"))
        ]
        here = self._directory
        ours = [
            f'APT::Architecture "{self._architecture}"; APT::Architectures {{ "{self._architecture}"; }};',
            'APT::Install-Recommends "0"; APT::Sandbox::User "root"; Acquire::Languages "none";',
            f'Dir::State "{here}"; Dir::State::status "{here}/status"; Dir::State::lists "{here}/lists/";',
            f'Dir::Cache "{here}"; Dir::Cache::archives "{here}/archives/";',
            f'Dir::Etc::sourcelist "{here}/debian.sources"; Dir::Etc::sourceparts "/dev/null";',
            'Dir::Etc::parts "/dev/null"; Dir::Etc::main "/dev/null";',
            f'Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "{here}/preferences.d";',
        ]
        return "\n".join([*kept, *ours, ""])

    def _apt(self, *arguments: str, cwd: Path | None = None) -> None:
        self._run("apt-get", "-qq", *arguments, cwd=cwd)

    def _run(self, *command: str, cwd: Path | None = None) -> str:
        environment = {**os.environ, "APT_CONFIG": str(self._configuration), "LC_ALL": "C"}
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DownloadError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    @staticmethod
    def _unpack(archives_directory: Path, into: Path, only: Sequence[str] = (".",)) -> None:
        packages = sorted(archives_directory.glob("*.deb"))
        if not packages:
            raise DownloadError("apt downloaded no package")
        for package in packages:
            if not package.name.startswith(_NEVER_RUN):
                with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as deb:
                    subprocess.run(["tar", "-x", "--wildcards", "-C", into, *only], stdin=deb.stdout, check=True)
                if deb.returncode:
                    raise DownloadError(f"{package.name} does not unpack")


def host_architecture() -> str:
    """Debian's name of this machine's architecture."""
    return subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
