"""What is guarded stays so, however its path and its host are written and by whichever protocol they are asked for."""

import re
import ssl
import urllib.parse

import pytest

from fuzz.running import Running
from security.backend import Backend
from security.clients import connection, exchange, get, http2, status
from security.sites import BY_ADDRESS, BY_CERTIFICATE, BY_TOKEN, GUARDED, ONLY_HTTPS, OPEN, WILD

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATHS = (
    "/admin",
    "/admin/",
    "/admin?x=1",
    "/admin#x",
    "/admin%2f",
    "/admin%2fx",
    "/%61dmin",
    "/a%64min/x",
    "//admin",
    "///admin//x",
    "/./admin",
    "/x/../admin",
    "/x/%2e%2e/admin",
    "/x/%2E./admin",
    "/x/.%2e/admin",
    "/x%2f..%2fadmin",
    "/x%2F%2e%2e%2Fadmin",
    "/x%5c..%5cadmin",
    "/x\\..\\admin",
    "\\admin",
    "/\\admin",
    "/..;/admin",
    "/x/..;/admin",
    "/x/..;y=z/admin",
    "/x/%2e%2e;/admin",
    "/x/..%3b/admin",
    "/.;/admin",
    "/;/admin",
    "/;x=y/admin",
    "/../admin",
    "/../../../admin",
    "/admin/../admin",
    "/%2e/admin",
    "/%252e%252e/admin",
    "/x/%252e%252e%252fadmin",
    "/%2561dmin",
    "/admin%00",
    "/x%00/../admin",
    "/admin\0",
    "/admin\t",
    "/admin%20",
    "/admin%09",
    "/admin;x=y",
    "/%c0%afadmin",
    "/x/%c0%ae%c0%ae/admin",
    "/%u002e%u002e/admin",
    "admin",
    "*",
    "",
)


def as_the_most_lenient_app_reads_it(path: str) -> str:
    """Decoded once, backslashes turned, parameters cut off, and dots followed: as one app or another does."""
    path = re.sub(r"^[a-zA-Z]+://[^/]*", "", path).partition("?")[0].partition("#")[0]
    path = urllib.parse.unquote(path, "latin-1").replace("\\", "/")
    parts: list[str] = []
    for part in (each.partition(";")[0] for each in path.split("/")):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    return "/" + "/".join(parts)


def check_nothing_reached_what_is_guarded(backend: Backend) -> None:
    reached = [seen.path for seen in backend.seen]
    assert [path for path in reached if as_the_most_lenient_app_reads_it(path).startswith("/admin")] == []
    backend.seen.clear()


@pytest.mark.parametrize(("host", "tls"), [*((host, False) for host in GUARDED), (WILD, True)])
async def test_paths_over_http1(gateway: Running, backend: Backend, host: str, tls: bool) -> None:
    backend.seen.clear()
    assert status(await exchange(gateway, _close("/x", host), host if tls else None)) == 200
    for path in PATHS:
        await exchange(gateway, _close(path, host), host if tls else None)
    check_nothing_reached_what_is_guarded(backend)


@pytest.mark.parametrize("host", [*GUARDED, WILD])
async def test_paths_over_http2(gateway: Running, backend: Backend, host: str) -> None:
    backend.seen.clear()
    for paths in (PATHS[at : at + 10] for at in range(0, len(PATHS), 10)):
        async with http2(gateway, host) as client:
            for path in paths:
                if not await client.request(get(host, path)):
                    await _alone(gateway, host, path)
    check_nothing_reached_what_is_guarded(backend)


async def _alone(gateway: Running, host: str, path: str) -> None:
    """On a connection of its own: what ended the other one may have been what came before."""
    async with http2(gateway, host) as client:
        await client.request(get(host, path))


def _close(path: str, host: str, *more: str, line: str = "HTTP/1.1", method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} {line}", f"Host: {host}", "Connection: close", *more, "", ""]).encode(
        "latin-1"
    )


@pytest.mark.parametrize(("host", "tls"), [*((host, False) for host in GUARDED), (BY_TOKEN, True), (WILD, True)])
async def test_hosts_protocols_and_methods(gateway: Running, backend: Backend, host: str, tls: bool) -> None:
    backend.seen.clear()
    port = gateway.https_port if tls else gateway.http_port
    spellings = (
        host.upper(),
        f"{host}:{port}",
        f"{host}:80",
        f"{host}.",
        f"{host}.:{port}",
        f"{host.title()}.",
        f"{host}:",
    )
    requests = [
        *(_close("/admin", each) for each in spellings),
        *(_close("/admin", each, line="HTTP/1.0") for each in spellings),
        *(_close(f"http://{each}/admin", host) for each in spellings),
        *(_close(f"http://{each}/admin", OPEN) for each in spellings),
        *(_close(f"{scheme}://{host}/admin", "x") for scheme in ("https", "ftp", "ws")),
        *(_close("/admin", host, method=each) for each in ("HEAD", "OPTIONS", "PUT", "TRACE", "CONNECT", "PRI", "get")),
        _close("/admin", host, "Host: open.test"),
        _close("/admin", OPEN, f"Host: {host}"),
        _close(f"{host}:443", host, method="CONNECT"),
        _close("/admin", host, "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: x").replace(
            b"close", b"upgrade"
        ),
        _close("/admin", host, "Origin: https://x.test", "Access-Control-Request-Method: GET", method="OPTIONS"),
        _close("/x", host, "X-HTTP-Method-Override: GET", "X-Original-URL: /y", "X-Rewrite-URL: /y"),
        _close("/admin", host, "X-Isoline-Scope: http/open.test", "X-Envoy-Original-Path: /x"),
    ]
    for request in requests:
        await exchange(gateway, request, host if tls else None)
    assert any(seen.path == "/x" for seen in backend.seen)
    check_nothing_reached_what_is_guarded(backend)


@pytest.mark.parametrize("host", GUARDED)
async def test_extended_connect_and_other_methods_over_http2(gateway: Running, backend: Backend, host: str) -> None:
    backend.seen.clear()
    attempts = [
        get(host, "/admin", method="CONNECT"),
        [(":method", "CONNECT"), (":authority", f"{host}:443")],
        get(host, "/admin", (":protocol", "websocket"), method="CONNECT"),
        get(host, "/admin", (":protocol", "connect-udp"), method="CONNECT"),
        get(host, "/admin", ("host", OPEN)),
        get(OPEN, "/admin", ("host", host)),
        get(host.upper() + ".", "/admin"),
        [(":method", "GET"), (":scheme", "http"), (":authority", host), (":path", "/admin")],
    ]
    for headers in attempts:
        async with http2(gateway, host) as client:
            await client.request(headers)
    check_nothing_reached_what_is_guarded(backend)


async def test_another_host_on_the_connection_of_an_open_site_is_misdirected(
    gateway: Running, backend: Backend
) -> None:
    """A guard of the handshake, too, would be gone round so."""
    backend.seen.clear()
    for host in (BY_ADDRESS, BY_CERTIFICATE, WILD):
        async with http2(gateway, OPEN) as client:
            assert await client.request(get(host, "/x")) == 421
        assert status(await exchange(gateway, _close("/x", host), OPEN)) == 421
        assert status(await exchange(gateway, _close(f"https://{host}/x", OPEN), OPEN)) == 421
    async with http2(gateway, WILD) as client:
        assert await client.request(get(BY_CERTIFICATE, "/x")) == 421
    assert backend.seen == []


@pytest.mark.parametrize("name", [BY_CERTIFICATE, BY_CERTIFICATE.upper(), BY_CERTIFICATE.title()])
async def test_a_site_that_asks_for_certificates_answers_nobody_without(
    gateway: Running, backend: Backend, name: str
) -> None:
    backend.seen.clear()
    try:
        async with connection(gateway, name) as (reader, writer):
            writer.write(_close("/x", BY_CERTIFICATE))
            assert await reader.read() == b""
    except (ssl.SSLError, ConnectionError):
        pass
    assert backend.seen == []


async def test_what_https_guards_is_not_to_be_had_by_plain_http(gateway: Running, backend: Backend) -> None:
    """Where a host redirects, and where a route of it may be had in plain, the rest may not."""
    backend.seen.clear()
    for host in (ONLY_HTTPS, BY_CERTIFICATE):
        for spelled in (host, host.upper(), f"{host}.", f"{host}:443", f"{host}:{gateway.https_port}"):
            for line in ("HTTP/1.1", "HTTP/1.0"):
                for more in ("X-Forwarded-Proto: https", "X-Forwarded-Port: 443", "Forwarded: proto=https"):
                    answer = await exchange(gateway, _close("/x", spelled, more, line=line))
                    assert status(answer) in {301, 400, 404}, answer
            answer = await exchange(gateway, _close(f"https://{spelled}/x", spelled))
            assert status(answer) in {301, 400, 403, 404}, answer
    assert backend.seen == []
