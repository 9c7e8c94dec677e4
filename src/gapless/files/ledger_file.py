"""The ledger of a capture, saved beside it; or inside the metadata, where a SigMF recording has it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..errors import SignalError
from ..stream.ledger import Ledger
from .sigmf_recording import metadata_text, read_sigmf_ledger

SUFFIX = ".ledger.json"
#: How a ledger says that nobody came back to finish it: the program was killed.
UNFINISHED = "unfinished"

#: What may become longer from :func:`reserve` to :func:`finish` without any gap: digits, and how it ended.
_GROWTH = 2048
#: Bytes that a gap takes at least in the list.
_LEAST_GAP = 40


def ledger_path(path: str | os.PathLike[str]) -> Path:
    """Where the ledger of the capture at ``path`` is: ``capture.npy.ledger.json``, or the .sigmf-meta itself."""
    path = Path(path)
    return path if path.suffix.lower() == ".sigmf-meta" else path.with_name(path.name + SUFFIX)


def read_ledger(path: str | os.PathLike[str]) -> Ledger | None:
    """The ledger saved with the capture at ``path``; None when there is none.

    SignalError when there is something that is no ledger, contradicts itself, or cannot be read.
    """
    place = ledger_path(path)
    if place == Path(path):
        return read_sigmf_ledger(place)
    try:
        return Ledger.from_document(json.loads(place.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SignalError(f"{place}: cannot be read: {error.strerror or error}") from error
    except SignalError as error:
        raise SignalError(f"{place}: not a ledger: {error}") from None
    except (ValueError, RecursionError) as error:  # not JSON, not text, or nested without end
        raise SignalError(f"{place}: not a ledger: {error}") from None


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Write the JSON of a ledger into the file at ``path`` itself."""
    path.write_bytes(_json(ledger))


def reserve(
    path: str | os.PathLike[str], *, rate: float, direction: str = "adc", description: str = "", nbytes: int = 8192
) -> None:
    """Make room for the ledger of a capture that is about to begin, as long as there is room.

    Args:
        path: the capture; the ledger goes where :func:`ledger_path` says, and replaces what is there.
        rate, direction, description: of the capture, as :func:`finish` gets them.
        nbytes: how large the file is at least: what :func:`finish` can write on a full disk.

    Until it is finished it says that no sample was counted and that it is unfinished, which is all that
    is known of a capture whose program was killed. Raises OSError when there is no room even now.
    """
    first = Ledger(0, rate=float(rate), direction=direction, ended=UNFINISHED)
    text = _renderer(Path(path), rate, description)(first)
    place = ledger_path(path)
    # Under another name first: where there is no room, the ledger of what the file holds now is still there.
    part = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("wb") as file:
            # Blanks after a JSON document mean nothing, and take their blocks on the disk now.
            file.write(text.ljust(max(nbytes, len(text) + _GROWTH)))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def finish(path: str | os.PathLike[str], ledger: Ledger, *, rate: float, description: str = "") -> int:
    """Write the ledger over what :func:`reserve` left, even on a full disk; return how many gaps it lists.

    It is written in place: on ext4, xfs and tmpfs that takes no room. A ledger that is larger than what
    was reserved takes more where there is more; where not, it lists the first gaps that fit, as
    ``gaps_listed`` says. ``gap_count`` and ``missing_samples`` are exact in any case.
    """
    render, place = _renderer(Path(path), rate, description), ledger_path(path)
    ledger = replace(ledger, rate=float(rate))
    with place.open("r+b", buffering=0) as file:
        room = os.fstat(file.fileno()).st_size
        text, listed = render(ledger), len(ledger.gaps)
        if len(text) > room and not _extend(file.fileno(), room, len(text)):
            text, listed = _fit(ledger, render, room)
        # The blanks up to the end first belong to it: whatever happens before the cut, it is one document.
        _write_all(file.fileno(), text.ljust(room))
        file.truncate(len(text))
        os.fsync(file.fileno())
    return listed


def _renderer(path: Path, rate: float, description: str) -> Callable[[Ledger], bytes]:
    if path.suffix.lower() == ".sigmf-meta":
        return lambda ledger: metadata_text(path, rate=rate, ledger=ledger, description=description).encode()
    return _json


def _json(ledger: Ledger) -> bytes:
    return (json.dumps(ledger.document(), indent=1) + "\n").encode()


def _extend(descriptor: int, size: int, wanted: int) -> bool:
    """Take room on the disk up to ``wanted`` bytes; leave the file as it was, and say False, if there is none."""
    try:
        done = size
        while done < wanted:
            done += os.pwrite(descriptor, b" " * (wanted - done), done)
        os.fsync(descriptor)  # some file systems look for the room only now
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        return False
    return True


def _fit(ledger: Ledger, render: Callable[[Ledger], bytes], room: int) -> tuple[bytes, int]:
    """The document with as many gaps as fit, and how many these are."""
    least, most = 0, min(len(ledger.gaps) - 1, room // _LEAST_GAP)  # all of them do not fit
    while least < most:
        middle = (least + most + 1) // 2
        if len(render(replace(ledger, gaps=ledger.gaps[:middle]))) <= room:
            least = middle
        else:
            most = middle - 1
    return render(replace(ledger, gaps=ledger.gaps[:least])), least


def _write_all(descriptor: int, text: bytes) -> None:
    done = 0
    while done < len(text):
        done += os.pwrite(descriptor, text[done:], done)
