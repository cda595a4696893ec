"""One request in, at most one request out, and the same one: whatever the client writes."""

import json

import pytest

from fuzz.running import Running
from security.backend import Backend
from security.clients import exchange, get, http2, status
from security.sites import OPEN

pytestmark = pytest.mark.asyncio(loop_scope="module")

HIDDEN = b"GET /smuggled/ HTTP/1.1\r\nHost: open.test\r\n\r\n"


def post(*headers: bytes, body: bytes = b"", line: bytes = b"POST / HTTP/1.1") -> bytes:
    return b"\r\n".join([line, b"Host: open.test", *headers, b"", body])


CHUNKED = b"Transfer-Encoding: chunked"
REFUSED = {
    "CL.TE": post(b"Content-Length: 60", CHUNKED, body=b"0\r\n\r\n" + HIDDEN),
    "TE.CL": post(CHUNKED, b"Content-Length: 4", body=b"2c\r\n" + HIDDEN + b"\r\n0\r\n\r\n"),
    "TE.TE, of which one is nothing": post(CHUNKED, b"Transfer-Encoding: x", body=b"0\r\n\r\n" + HIDDEN),
    "a coding before chunked": post(b"Transfer-Encoding: x, chunked", body=b"0\r\n\r\n" + HIDDEN),
    "a coding after chunked": post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + HIDDEN),
    "a space before the colon": post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n" + HIDDEN),
    "a control character in the coding": post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n" + HIDDEN),
    "a coding nobody knows": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + HIDDEN),
    "two lengths": post(b"Content-Length: 0", b"Content-Length: 44", body=HIDDEN),
    "two lengths on one line": post(b"Content-Length: 0, 44", body=HIDDEN),
    "a length with a sign": post(b"Content-Length: +44", body=HIDDEN),
    "a length below nothing": post(b"Content-Length: -1", body=HIDDEN),
    "a length in hexadecimal": post(b"Content-Length: 0x2c", body=HIDDEN),
    "a length that overflows": post(b"Content-Length: 18446744073709551660", body=HIDDEN),
    "a NUL in a header": post(b"X: a\0b"),
    "a bare CR in a name": post(b"Transfer-\rEncoding: chunked", body=b"0\r\n\r\n" + HIDDEN),
    "a header without a colon": post(b"Nothing", b"Content-Length: 0"),
    "a name with a space": post(b"X Y: 1"),
    "a chunk whose size is no number": post(CHUNKED, body=b"0x0\r\n\r\n" + HIDDEN),
    "a chunk that overflows": post(CHUNKED, body=b"1" + b"0" * 17 + b"\r\n" + HIDDEN),
    "a chunk below nothing": post(CHUNKED, body=b"-1\r\n" + HIDDEN),
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "a method with a separator": post(line=b"GE:T / HTTP/1.1"),
    "a space in the path": post(line=b"GET /a b HTTP/1.1"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refused(gateway: Running, backend: Backend, name: str) -> None:
    backend.seen.clear()
    answer = await exchange(gateway, REFUSED[name])
    assert 400 <= status(answer) < 600, answer
    assert not any("smuggled" in seen.path for seen in backend.seen)
    assert b"HTTP/1.1 200" not in answer


HARMLESS = {
    "a bare CR in a value": (post(b"X: a\rTransfer-Encoding: chunked", b"Content-Length: 44", body=HIDDEN), 44),
    "chunks in HTTP/1.0": (post(CHUNKED, line=b"POST / HTTP/1.0", body=b"0\r\n\r\n" + HIDDEN), 0),
    "another protocol": (post(b"Content-Length: 44", line=b"POST / HTTP/3.7", body=HIDDEN), 44),
    "a header that is folded": (post(b"X: a", b" Transfer-Encoding: chunked", b"Content-Length: 44", body=HIDDEN), 44),
    "a tab before the coding": (post(b"Transfer-Encoding:\tchunked", body=b"0\r\n\r\n"), 0),
    "line feeds alone": (post(b"Content-Length: 44", body=HIDDEN).replace(b"\r\n", b"\n"), None),
    "the same length twice": (post(b"Content-Length: 44", b"Content-Length: 44", body=HIDDEN), 44),
    "an extension of a chunk": (post(CHUNKED, body=b"2c;x=1\r\n" + HIDDEN + b"\r\n0\r\n\r\n"), 44),
    "trailers": (post(CHUNKED, body=b"0\r\nContent-Length: 44\r\nX-Isoline-Scope: http/x\r\n\r\n"), 0),
    "empty lines before the request": (b"\r\n\r\n" + post(b"Content-Length: 44", body=HIDDEN), 44),
    "a length beside an upgrade": (
        post(b"Connection: upgrade", b"Upgrade: h2c", b"Content-Length: 44", body=HIDDEN),
        44,
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
async def test_refused_or_read_in_one_way_only(gateway: Running, backend: Backend, name: str) -> None:
    """The app gets what was meant, with one length, or nothing at all."""
    request, length = HARMLESS[name]
    backend.seen.clear()
    answer = await exchange(gateway, request)
    assert not any("smuggled" in seen.path for seen in backend.seen)
    assert len(backend.seen) <= 1
    if not backend.seen:
        assert 400 <= status(answer) < 600, answer
        return
    (seen,) = backend.seen
    assert len(seen.values("content-length")) + len(seen.values("transfer-encoding")) <= 1
    assert length is None or len(seen.body) == length
    assert not seen.values("upgrade")


@pytest.mark.parametrize("server_name", [None, OPEN])
async def test_nobody_speaks_http2_by_upgrade(gateway: Running, backend: Backend, server_name: str | None) -> None:
    """Else the gateway would hand on a connection whose further requests nobody guards."""
    backend.seen.clear()
    upgrade = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
    answer = await exchange(gateway, post(*upgrade, line=b"GET / HTTP/1.1"), server_name)
    assert status(answer) != 101
    assert not any(seen.values("upgrade") or seen.values("http2-settings") for seen in backend.seen)


DOWNGRADES = {
    "a length too short": (get(OPEN, "/", ("content-length", "0"), method="POST"), HIDDEN),
    "a length too long": (get(OPEN, "/", ("content-length", "100"), method="POST"), HIDDEN),
    "two lengths": (get(OPEN, "/", ("content-length", "0"), ("content-length", "44"), method="POST"), HIDDEN),
    "a transfer coding": (get(OPEN, "/", ("transfer-encoding", "chunked"), method="POST"), b"0\r\n\r\n" + HIDDEN),
    "a connection header": (get(OPEN, "/", ("connection", "transfer-encoding"), method="POST"), HIDDEN),
    "a line break in a value": (get(OPEN, "/", ("x", "a\r\ntransfer-encoding: chunked"), method="POST"), HIDDEN),
    "a line break in a name": (get(OPEN, "/", ("x: a\r\ncontent-length", "0"), method="POST"), HIDDEN),
    "a colon in a name": (get(OPEN, "/", ("x:y", "0"), method="POST"), HIDDEN),
    "capitals in a name": (get(OPEN, "/", ("Content-Length", "0"), method="POST"), HIDDEN),
    "a request in the path": (get(OPEN, "/ HTTP/1.1\r\nHost: open.test\r\n\r\nGET /smuggled"), None),
    "a space in the path": (get(OPEN, "/a b"), None),
    "a request in the method": (get(OPEN, method="GET /smuggled HTTP/1.1\r\nx:"), None),
    "a request in the host": (get("open.test\r\n\r\nGET /smuggled HTTP/1.1\r\nx: y"), None),
    "a path without a slash": (get(OPEN, "smuggled"), None),
    "two paths": (get(OPEN, "/", (":path", "/smuggled")), None),
    "a pseudo header late": ([("x", "y"), *get(OPEN)], None),
    "an unknown pseudo header": ([(":smuggled", "/"), *get(OPEN)], None),
    "a NUL": (get(OPEN, "/", ("x", "a\0b")), None),
}


@pytest.mark.parametrize("name", DOWNGRADES)
async def test_http2_is_no_way_to_write_http1(gateway: Running, backend: Backend, name: str) -> None:
    backend.seen.clear()
    headers, body = DOWNGRADES[name]
    async with http2(gateway, OPEN) as client:
        assert await client.request(headers, body) in {0, 400, 404, 421}
    assert not any("smuggled" in seen.path or b"smuggled" in seen.line for seen in backend.seen)
    # Of what was refused late, nothing more than the head has come.
    assert all(len(seen.body) < len(HIDDEN) for seen in backend.seen)


async def test_what_follows_a_refused_request_is_not_read(gateway: Running, backend: Backend) -> None:
    backend.seen.clear()
    answer = await exchange(gateway, post(b"Content-Length: x") + HIDDEN)
    assert status(answer) == 400
    assert answer.count(b"HTTP/1.1 ") == 1
    assert backend.seen == []


async def test_requests_in_one_line_are_answered_one_by_one(gateway: Running, backend: Backend) -> None:
    """What the other tests refuse is not refused for being pipelined."""
    backend.seen.clear()
    answer = await exchange(gateway, HIDDEN.replace(b"smuggled/", b"first") + HIDDEN.replace(b"smuggled/", b"second"))
    assert answer.count(b"HTTP/1.1 200") == 2
    assert [seen.path for seen in backend.seen] == ["/first", "/second"]
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["path"] == "/second"
