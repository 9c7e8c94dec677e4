"""gapless serve."""

from __future__ import annotations

import ipaddress
import json as jsons
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .. import board as boards
from ..errors import BadArgumentError, UnsupportedError
from ..units import parse_time

if TYPE_CHECKING:
    from ..compat.pynq_remote import Tls

EXAMPLES = """\b
Examples:
  gapless serve --pynq-remote
  gapless serve --pynq-remote --design base.bit --board 'virtual:pynq-z2?clock=wall'
  PYNQ_REMOTE_DEVICES=127.0.0.1 python notebook.py   (with PYNQ 4.0.0, in another terminal)
"""

#: Programs that talk to a board over a network sleep to give it time.
DEFAULT_BOARD = "virtual:pynq-z2?clock=wall"
#: The port that PYNQ's clients go to.
_PORT = 7967


def serve(
    pynq_remote: Annotated[bool, typer.Option("--pynq-remote", help="Answer the calls of PYNQ.remote (gRPC).")] = False,
    board: Annotated[str, typer.Option("--board", metavar="URI", help="Board to serve.")] = DEFAULT_BOARD,
    bind: Annotated[
        str,
        typer.Option("--bind", metavar="HOST:PORT", help="Where to listen; port 0 takes one that is free."),
    ] = f"127.0.0.1:{_PORT}",
    design: Annotated[
        list[str] | None,
        typer.Option(
            "--design",
            metavar="FILE",
            show_default="the board's own and the built-in ones",
            help="A design that clients may load, or a folder of them: .hwh, .bit with its .hwh, .xsa. Repeatable.",
        ),
    ] = None,
    memory: Annotated[
        str, typer.Option("--memory", metavar="NAME", help="Pool that clients' buffers are allocated in.")
    ] = "ps-cma",
    keep: Annotated[
        str,
        typer.Option("--keep", metavar="TIME", help="How long a client's buffers are kept after its connection ended."),
    ] = "5s",
    token: Annotated[
        str | None, typer.Option("--token", metavar="FILE", help="File with the token that each call has to present.")
    ] = None,
    tls_cert: Annotated[
        str | None, typer.Option("--tls-cert", metavar="FILE", help="Certificate chain of this server, PEM.")
    ] = None,
    tls_key: Annotated[str | None, typer.Option("--tls-key", metavar="FILE", help="Its private key, PEM.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when it listens, and no other.")] = False,
) -> int:
    """Let programs of others use a board: PYNQ 4.0.0 through PYNQ_REMOTE_DEVICES.

    Ends with Ctrl-C or SIGTERM. Elsewhere than on loopback it takes a token and TLS, which PYNQ's own client has not:
    docs/pynq-remote.md says what to do.
    """
    if not pynq_remote:
        raise BadArgumentError("say what to serve: --pynq-remote is what there is")
    host, port = _address(bind)
    tls = _tls(tls_cert, tls_key)
    secret = None if token is None else _token(Path(token))
    if not _is_loopback(host) and (secret is None or tls is None):
        missing = [name for name, given in _needed(token, tls_cert, tls_key) if given is None]
        raise BadArgumentError(
            f"--bind {bind} can be reached from other machines: give {', '.join(missing)}; or bind 127.0.0.1 and let "
            f"clients come by ssh -L {_PORT}:127.0.0.1:{_PORT}"
        )
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what a client did wrong is told to the client
    remote = _remote()
    with boards.open(board) as opened:
        settings = remote.Settings(
            host=host,
            port=port,
            memory=memory,
            keep=parse_time(keep, "--keep"),
            designs=remote.Designs(map(Path, design or ())),
            token=secret,
            tls=tls,
        )
        _ = opened.memory[memory]

        def listening(port: int) -> None:
            if json:
                print(jsons.dumps({"board": board, "host": host, "port": port}), flush=True)
                return
            print(f"{board} answers PYNQ.remote on {host} port {port}; Ctrl-C ends it", flush=True)
            if port == _PORT:
                print(f"clients: PYNQ_REMOTE_DEVICES={host} python ...", flush=True)

        remote.serve(opened, settings, listening=listening, log=lambda line: print(line, file=sys.stderr, flush=True))
        for found in opened.findings:
            print(f"gapless: warning: {found.kind}: {found.text}", file=sys.stderr)
    return 0


def _remote() -> Any:
    try:
        from ..compat import pynq_remote
    except ModuleNotFoundError as error:
        raise UnsupportedError(
            f"{error.name} is not installed: pip install 'gapless[remote]' brings what gRPC takes"
        ) from None
    return pynq_remote


def _address(bind: str) -> tuple[str, int]:
    host, colon, port = bind.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BadArgumentError(f"--bind {bind}: HOST:PORT, such as 127.0.0.1:{_PORT} or [::1]:{_PORT}")
    if host != "localhost":
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise BadArgumentError(f"--bind {bind}: HOST is an IP address of this machine, or localhost") from None
    return host, int(port)


def _is_loopback(host: str) -> bool:
    return host == "localhost" or ipaddress.ip_address(host).is_loopback


def _needed(*given: str | None) -> zip[tuple[str, str | None]]:
    return zip(("--token FILE", "--tls-cert FILE", "--tls-key FILE"), given, strict=True)


def _tls(certificate: str | None, key: str | None) -> Tls | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise BadArgumentError("--tls-cert and --tls-key go together: a certificate and its private key")
    return _remote().Tls(_read(Path(certificate)), _read(Path(key)))  # type: ignore[no-any-return]


def _token(path: Path) -> str:
    token = _read(path).decode(errors="replace").strip()
    if len(token) < 16 or not token.isascii() or not token.isprintable():
        raise BadArgumentError(f"{path}: a token has at least 16 printable characters: openssl rand -hex 32 > {path}")
    return token


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadArgumentError(f"{path}: cannot be read: {error.strerror}") from None
