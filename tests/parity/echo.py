"""What stands behind every Service: it answers with what it got, and with its own name."""

import json
import ssl
import tempfile
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from .certificates import made
from .corpus import DEFAULT_PORTS, Backend, Ports

MARK = "x-echo"
"""A header of every answer of the echo; nothing else sends it."""


class Echoes:
    """The echo at the addresses of all backends, for the time of a block, in threads of the network it is made in."""

    def __init__(self, backends: Iterable[Backend], ports: Ports = DEFAULT_PORTS) -> None:
        names = {each.address: each.service for each in backends}
        handler = type("Handler", (_Handler,), {"names": names})
        # Two listeners for all: on Linux a socket of any address tells by which one it was reached.
        self._servers = [_Server(("0.0.0.0", port), handler) for port in ports]
        with tempfile.TemporaryDirectory() as folder:
            chain, key = Path(folder) / "tls.crt", Path(folder) / "tls.key"
            chain.write_bytes(made("certificate:echo.example"))
            key.write_bytes(made("key:echo.example"))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(chain, key)
        secure = self._servers[1]
        secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)

    def __enter__(self) -> Self:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that break are the clients' business."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # Head and body in one segment, or each answer waits for an acknowledgement.
    names: dict[str, str]

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        got = {
            "app": self.names.get(self.connection.getsockname()[0], "?"),
            "method": self.command,
            "path": self.path,
            "headers": sorted([name.lower(), value] for name, value in self.headers.items()),
            "body": self.rfile.read(length).decode(errors="replace"),
        }
        body = json.dumps(got).encode()
        status, headers = _asked(self.path)
        self.send_response_only(status)
        for name, value in [(MARK, "1"), ("content-length", str(len(body))), *headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = _answer  # noqa: N815

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Quiet."""


def _asked(path: str) -> tuple[int, list[tuple[str, str]]]:
    """`?answer=503` has that status; `?location=…`, `?cookie=…` have those headers."""
    from urllib.parse import parse_qs, urlsplit

    query = parse_qs(urlsplit(path).query)
    headers = [("location", each) for each in query.get("location", ())]
    headers += [("set-cookie", each) for each in query.get("cookie", ())]
    return int(query.get("answer", ["200"])[0]), headers
