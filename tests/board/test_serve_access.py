"""gapless serve: where it listens, whom it hears, and what it makes of bytes that are no calls."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import suppress

import grpc
import pytest

from pynq_remote_client import METHODS, SERVE, Remote, refused, serving

TOKEN = "0123456789abcdef0123456789abcdef"
#: Made for these tests with openssl req -x509; for localhost, until 2126.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUTBIrmA+gWLtWzdczMz+AiwXTCgYwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTE4NDI0OVoYDzIxMjYxMDI4
MTg0MjQ5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ6C6yIldURw/f5OXvGgWQXwEfIYkt0D4doARVb9u47oTEsmIk/8eXX
b0ZbDJOYriZvIVz9ZKnJ8ykwaSoJnZVso28wbTAdBgNVHQ4EFgQUcjY2F74nv0+L
OtmS+/Fy5t5O/1MwHwYDVR0jBBgwFoAUcjY2F74nv0+LOtmS+/Fy5t5O/1MwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgcxP55Z973xSnnGSLMGexlwgZNQuXJsNxCE/JPwzVwQoCIQCo
+eh0RTAq8vx4OSLxOgphQwd/Kc4yDoC+IDBygQ/nWw==
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBqrwEq7CC7NUDUfL
FM+zLrXjXeGFvTzU5EU6lhyWy/6hRANCAAQ6C6yIldURw/f5OXvGgWQXwEfIYkt0
D4doARVb9u47oTEsmIk/8eXXb0ZbDJOYriZvIVz9ZKnJ8ykwaSoJnZVs
-----END PRIVATE KEY-----
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A token, and a certificate that signs itself."""
    folder = tmp_path_factory.mktemp("access")
    (folder / "token").write_text(TOKEN + "\n")
    (folder / "short").write_text("secret\n")
    (folder / "cert.pem").write_text(CERTIFICATE)
    (folder / "key.pem").write_text(KEY)
    return folder


@pytest.fixture(scope="module")
def server():
    with serving() as running:
        yield running
        assert running.stop() == 0
        assert "Traceback" not in running.process.stderr.read()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("--bind 0.0.0.0:7967", "give --token FILE, --tls-cert FILE, --tls-key FILE"),
        ("--bind 0.0.0.0:7967 --token {0}/token", "give --tls-cert FILE, --tls-key FILE"),
        ("--bind [::]:7967 --tls-cert {0}/cert.pem --tls-key {0}/key.pem", "give --token FILE"),
        ("--tls-cert {0}/cert.pem", "go together"),
        ("--token {0}/nothing", "cannot be read"),
        ("--token {0}/short", "at least 16"),
        ("--bind 7967", "HOST:PORT"),
        ("--bind 127.0.0.1:70000", "HOST:PORT"),
        ("--bind board.example:7967", "IP address"),
        ("--bind 203.0.113.1:0 --token {0}/token --tls-cert {0}/cert.pem --tls-key {0}/key.pem", "cannot listen"),
        ("--bind 127.0.0.1:0 --tls-cert {0}/token --tls-key {0}/key.pem", "cannot listen"),
        ("--design {0}/nothing.hwh", "no such file"),
        ("--design {0}", "no .hwh"),
        ("--memory nowhere", "ps-cma"),
        ("--keep soon", "--keep"),
        ("--board virtual:nothing", "virtual:pynq-z2"),
    ],
)
def test_wrong_use(files, options: str, text: str, capsys, monkeypatch) -> None:
    from gapless.cli import main

    monkeypatch.setenv("GRPC_VERBOSITY", "NONE")
    assert main(["serve", "--pynq-remote", *options.format(files).split()]) == 2
    error = capsys.readouterr().err
    assert error.startswith("gapless: ")
    assert error.count("\n") == 1
    assert text in error


def test_it_says_what_to_install(tmp_path) -> None:
    (tmp_path / "grpc.py").write_text("raise ModuleNotFoundError('no grpc', name='grpc')")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    result = subprocess.run(SERVE, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "pip install 'gapless[remote]'" in result.stderr


def test_a_port_that_is_taken(server) -> None:
    result = subprocess.run([*SERVE, "--bind", f"127.0.0.1:{server.port}"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "another program does" in result.stderr


def test_tokens(files) -> None:
    with serving("--token", f"{files}/token") as server:
        for token in ("", TOKEN[:-1], TOKEN + "0", "x"):
            with Remote(server.port, token=token) as remote:
                for name in METHODS:
                    with refused("UNAUTHENTICATED", "wants its token"):
                        remote(name)
                with refused("UNAUTHENTICATED", "wants its token"):
                    remote.channel.unary_unary("/mmio.Mmio/erase")(b"", timeout=30)
        with Remote(server.port, token=TOKEN) as remote:
            assert remote.allocate(64)


def test_tls(files) -> None:
    options = ("--token", f"{files}/token", "--tls-cert", f"{files}/cert.pem", "--tls-key", f"{files}/key.pem")
    with serving("--bind", "0.0.0.0:0", *options) as server:
        credentials = grpc.ssl_channel_credentials((files / "cert.pem").read_bytes())
        with Remote(server.port, host="localhost", credentials=credentials, token=TOKEN) as remote:
            assert remote.allocate(64)
        with Remote(server.port) as remote, pytest.raises(grpc.RpcError) as plain:
            remote.allocate(64)
        assert plain.value.code() is grpc.StatusCode.UNAVAILABLE


_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def _frame(kind: int, flags: int, stream: int, data: bytes) -> bytes:
    """An HTTP/2 frame (RFC 9113, 4.1)."""
    return len(data).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + data


def _huge_message() -> bytes:
    """A call whose message says that it has 4 GiB; its headers are literals (RFC 7541, 6.2.2)."""

    def literal(text: bytes) -> bytes:
        return bytes([len(text)]) + text

    headers = b"\x83\x86"  # POST, http
    headers += b"\x04" + literal(b"/buffer.RemoteBuffer/allocate") + b"\x01" + literal(b"localhost")
    headers += b"\0" + literal(b"content-type") + literal(b"application/grpc")
    headers += b"\0" + literal(b"te") + literal(b"trailers")
    calls = _frame(4, 0, 0, b"") + _frame(1, 4, 1, headers)
    return _PREFACE + calls + _frame(0, 0, 1, b"\0\xff\xff\xff\xff" + bytes(1000))


GARBAGE = [
    b"",
    b"\0",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    _PREFACE + b"\xff" * 1000,
    os.urandom(100_000),
    # An HTTP/2 frame that says it has 16 MiB, and one without its preface.
    _PREFACE + b"\xff\xff\xff\0\0\0\0\0\x01" + b"a" * 1000,
    b"\0\0\x04\x08\0\0\0\0\0\0\0\0\0",
]


def test_bytes_that_are_no_calls(server) -> None:
    with Remote(server.port) as remote:
        half_open = []
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(_huge_message())
            answer = b""
            while b"larger than max (4294967295" not in answer:
                part = connection.recv(4096)
                assert part
                answer += part
        for data in GARBAGE:
            for shut in (False, True):
                connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
                half_open.append(connection)
                connection.sendall(data)
                if shut:
                    with suppress(OSError):  # the server has ended it by now
                        connection.shutdown(socket.SHUT_WR)
                remote("buffer.freebuffer", buffer_id=remote.allocate(64))
        channel = remote.channel.unary_unary("/buffer.RemoteBuffer/allocate")
        with refused("INVALID_ARGUMENT", "no message"):
            channel(b"\x08", timeout=30)  # a field without its value
        for connection in half_open:
            connection.close()
        assert remote.allocate(64)


def test_a_stream_that_stands_still_holds_up_nobody(server) -> None:
    with Remote(server.port) as slow, Remote(server.port) as other:
        method = METHODS["buffer.write"]
        buffer = slow.allocate(64)

        def requests():
            yield method.request(buffer_id=buffer, data=b"abc").SerializeToString()
            assert other.allocate(64)
            asked.append(other.read32(0x4121_0000))

        asked: list[int] = []
        slow.channel.stream_unary(method.path)(requests(), timeout=30)
        assert asked == [0]
        assert slow.contents(buffer, end=3) == b"abc"
