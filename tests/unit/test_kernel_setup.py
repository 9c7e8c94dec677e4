"""The pieces that set a guest up: sources of apt in both formats, atomic making, the archive format."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kernel.apt_sources import archives
from kernel.cache import key, made
from kernel.newc import Archive

DEB822 = """\
# a comment
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 -----END PGP PUBLIC KEY BLOCK-----
"""


def etc_apt(root: Path, **files: str) -> Path:
    (root / "sources.list.d").mkdir()
    for name, text in files.items():
        path = root / "sources.list" if name == "sources" else root / "sources.list.d" / name.replace("_", ".")
        path.write_text(text)
    return root


def test_deb822_keeps_the_keys_and_adds_backports(tmp_path: Path) -> None:
    main, security = archives(etc_apt(tmp_path, debian_sources=DEB822))
    assert main.uri == "http://mirror.example/debian"
    assert "Suites: bookworm bookworm-updates bookworm-backports\n" in main.stanza()
    assert "signed-by: /usr/share/keyrings/debian-archive-keyring.gpg\n" in main.stanza()
    assert "Suites: bookworm-security\n" in security.stanza()
    assert "signed-by: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n -----END" in security.stanza()


def test_one_line_sources_with_and_without_options(tmp_path: Path) -> None:
    lines = (
        "# deb http://off.example/debian bookworm main\n"
        "deb-src http://mirror.example/debian bookworm main\n"
        "deb http://mirror.example/debian-security trixie-security main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian/ bookworm main non-free # why\n"
    )
    main, security = archives(etc_apt(tmp_path, sources=lines))
    assert (main.uri, main.options) == ("http://mirror.example/debian/", (("signed-by", "/k.gpg"),))
    assert (security.security, security.options) == (True, ())


def test_the_archives_of_others_and_disabled_ones_are_left_out(tmp_path: Path) -> None:
    others = (
        "deb http://apt.example/tool bookworm main\n"
        "deb http://download.example/linux/debian bookworm stable\n"
        "deb http://pg.example/debian bookworm-pgdg main\n"
    )
    off = DEB822.replace("Types", "Enabled: no\nTypes")
    assert archives(etc_apt(tmp_path, others_list=others, off_sources=off, old_disabled=DEB822)) == []


def test_what_is_made_is_made_once_and_whole_or_not_at_all(tmp_path: Path) -> None:
    def half(path: Path) -> None:
        path.mkdir()
        (path / "one").touch()
        raise OSError("no more disk")

    with pytest.raises(OSError, match="no more disk"):
        made(tmp_path / "thing", half)
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".lock"]

    def whole(path: Path) -> None:
        path.write_text("made")

    assert made(tmp_path / "thing", whole).read_text() == "made"
    assert made(tmp_path / "thing", half).read_text() == "made"


def test_another_recipe_has_another_key() -> None:
    assert key("a", 1) == key("a", 1)
    assert key("a", 1) != key("a", 2)
    assert key("ab", "c") != key("a", "bc")


@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is the judge here, and this machine has none")
def test_cpio_reads_two_archives_written_by_us(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep/__pycache__").mkdir(parents=True)
    (source / "deep/__pycache__/x.pyc").touch()
    (source / "deep/program").write_bytes(b"\x00\x01odd")
    (source / "deep/program").chmod(0o755)
    (source / "link").symlink_to("deep/program")
    file = io.BytesIO()
    archive = Archive(file)
    archive.tree(source, "at/here")
    archive.close()
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    command = ["cpio", "-i", "--quiet", "--no-absolute-filenames"]
    subprocess.run(command, input=file.getvalue(), cwd=unpacked, check=True)
    found = sorted(path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*"))
    assert found == ["at", "at/here", "at/here/deep", "at/here/deep/program", "at/here/link"]
    assert (unpacked / "at/here/link").read_bytes() == b"\x00\x01odd"
    assert (unpacked / "at/here/deep/program").stat().st_mode & 0o777 == 0o755
