"""The requests that both are asked, and what of an answer is compared."""

import http.client
import json
import re
import socket
import ssl
import tempfile
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from .certificates import made
from .echo import MARK

FOLDER: Final = Path(__file__).parent / "requests"

_UNLIKE: Final = {"date", "content-length", "x-envoy-upstream-service-time", "x-request-id", "connection", MARK}
"""Headers that differ between two answers of the same gateway."""
_PATIENCE: Final = 10.0  # seconds


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request, as it goes over the wire; sent `times` times."""

    name: str
    host: str = ""
    path: str = "/"
    method: str = "GET"
    scheme: str = "http"
    sni: str | None = None
    """The host unless it says otherwise; empty for none."""
    headers: list[tuple[str, str]] = []
    body: str = ""
    times: int = 1
    client: str = ""
    """Name of the certificate to show."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came back. `closed` when nothing did."""

    status: int = 0
    closed: bool = False
    headers: list[tuple[str, str]] = []
    body: str = ""
    app: str = ""
    """The Service that answered, and what it was sent."""
    method: str = ""
    path: str = ""
    got: list[tuple[str, str]] = []
    sent_body: str = ""


def load() -> list[Case]:
    """Return all cases, in the order of the files; names are unique."""
    cases = [
        msgspec.convert({"name": f"{path.stem}: {each.pop('name')}", **each}, Case)
        for path in sorted(FOLDER.glob("*.yaml"))
        for each in yaml.safe_load(path.read_text())
    ]
    twice = {each.name for each in cases if sum(other.name == each.name for other in cases) > 1}
    assert not twice, f"these names are there twice: {twice}"
    return cases


def ask(case: Case, address: str, http_port: int, https_port: int) -> list[Answer]:
    """Send a case to a gateway; return an answer for each time."""
    return [_ask(case, address, http_port, https_port) for _ in range(case.times)]


def _ask(case: Case, address: str, http_port: int, https_port: int) -> Answer:
    secure = case.scheme == "https"
    try:
        with socket.create_connection((address, https_port if secure else http_port), timeout=_PATIENCE) as plain:
            connection = _secured(plain, case) if secure else plain
            with connection:
                connection.sendall(_wire(case))
                return _read(connection, case, (http_port, https_port))
    except (OSError, http.client.HTTPException):
        return Answer(closed=True)


def _wire(case: Case) -> bytes:
    lines = [f"{case.method} {case.path} HTTP/1.1", f"Host: {case.host}"]
    lines += [f"{name}: {value}" for name, value in case.headers]
    if case.body:
        lines.append(f"Content-Length: {len(case.body.encode())}")
    if not any(name.lower() == "connection" for name, _ in case.headers):
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n" + case.body).encode()


def _secured(plain: socket.socket, case: Case) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if case.client:
        with tempfile.TemporaryDirectory() as folder:
            chain, key = Path(folder) / "tls.crt", Path(folder) / "tls.key"
            chain.write_bytes(made(f"client:{case.client}"))
            key.write_bytes(made(f"client-key:{case.client}"))
            context.load_cert_chain(chain, key)
    name = case.host.partition(":")[0] if case.sni is None else case.sni
    return context.wrap_socket(plain, server_hostname=name or None)


def _read(connection: socket.socket, case: Case, ports: tuple[int, int]) -> Answer:
    response = http.client.HTTPResponse(connection, method=case.method)
    response.begin()
    body = b"" if response.status == 101 else response.read()
    headers = sorted((name.lower(), _without_ports(value, ports)) for name, value in response.getheaders())
    kept = [each for each in headers if each[0] not in _UNLIKE]
    if (MARK, "1") not in headers:
        return Answer(status=response.status, headers=kept, body=body.decode(errors="replace"))
    got: dict[str, Any] = json.loads(body) if body else {}
    return Answer(
        status=response.status,
        headers=kept,
        app=got.get("app", "?"),
        method=got.get("method", ""),
        path=got.get("path", ""),
        got=[(name, _without_ports(value, ports)) for name, value in got.get("headers", ()) if name not in _UNLIKE],
        sent_body=got.get("body", ""),
    )


def _without_ports(text: str, ports: tuple[int, int]) -> str:
    """The two gateways listen on ports of their own, which show in redirects."""
    return re.sub(rf":({ports[0]}|{ports[1]})\b", "", text)
