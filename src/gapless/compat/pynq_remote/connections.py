"""Which TCP connections to a port are there: gRPC tells a server nothing when one ends.

Source: Linux, Documentation/networking/proc_net_tcp.rst.
"""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from urllib.parse import unquote

_ESTABLISHED = "01"
_TABLES = (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6))
_MAPPED = "::ffff:"  # an IPv4 client at a socket for both


def connections(port: int, root: Path = Path("/")) -> dict[str, str] | None:
    """The connections that are open to ``port`` of this machine: by the client's ``host:port``, the socket's inode.

    The inode tells one connection from a later one of the same addresses. None where the kernel has no table.
    """
    tables = [(root / "proc/net" / name, family) for name, family in _TABLES]
    tables = [(path, family) for path, family in tables if path.exists()]
    found = {}
    for path, family in tables:
        for line in path.read_text().splitlines()[1:]:
            _, local, remote, state, *rest = line.split()
            if state == _ESTABLISHED and int(local.rpartition(":")[2], 16) == port:
                host, _, remote_port = remote.rpartition(":")
                found[f"{_host(host, family)}:{int(remote_port, 16)}"] = rest[5]
    return found if tables else None


def client_address(peer: str) -> str:
    """``host:port`` of what gRPC calls a peer: ``ipv4:127.0.0.1:5000``, ``ipv6:%5Bfe80::1%25eth0%5D:5000``."""
    host, _, port = unquote(peer).partition(":")[2].rpartition(":")
    return f"{host.strip('[]').partition('%')[0].removeprefix(_MAPPED)}:{port}"


def _host(text: str, family: int) -> str:
    # Groups of 32 bits as this processor has them in memory.
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    return socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words)).removeprefix(_MAPPED)
