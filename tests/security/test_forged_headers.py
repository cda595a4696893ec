"""What the gateway says of a request to the app, the client cannot say."""

import pytest

from fuzz.running import Running
from isoline.xds.names import SCOPE_HEADER
from security.backend import Backend
from security.clients import exchange, get, http2, status
from security.sites import BY_ADDRESS, OPEN

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORGED = "forged.example"
HEADERS = (
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-client-cert",
    "x-forwarded-anything",
    "forwarded",
    "x-real-ip",
    "x-envoy-external-address",
    "x-envoy-internal",
    "x-envoy-original-path",
    "x-envoy-original-host",
    "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-force-trace",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-ip-tags",
    "x-envoy-max-retries",
    "x-envoy-retriable-header-names",
    "x-envoy-retriable-status-codes",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-upstream-rq-timeout-ms",
    SCOPE_HEADER,
)


def _request(*lines: str, host: str = OPEN, path: str = "/x") -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *lines, "", ""]).encode()


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("value", [FORGED, "1"])
async def test_nothing_of_it_reaches_the_app(gateway: Running, backend: Backend, name: str, value: str) -> None:
    forged = f"{FORGED}-{value}"
    for server_name in (None, OPEN):
        backend.seen.clear()
        request = _request(f"{name.title()}: {forged}", f"{name}: {forged}")
        assert status(await exchange(gateway, request, server_name)) == 200
        async with http2(gateway, OPEN) as client:
            assert await client.request(get(OPEN, "/x", (name, forged))) == 200
        assert [each for seen in backend.seen for each in seen.headers if FORGED in each[1]] == []


async def test_what_the_gateway_says_is_the_truth(gateway: Running, backend: Backend) -> None:
    backend.seen.clear()
    await exchange(gateway, _request(*(f"{name}: {FORGED}" for name in HEADERS)))
    (seen,) = backend.seen
    assert seen.values("x-forwarded-host") == [OPEN]
    assert seen.values("x-forwarded-proto") == ["http"]
    assert FORGED not in "".join(seen.values("x-forwarded-for"))
    assert seen.values(SCOPE_HEADER) == []


@pytest.mark.parametrize("scope", ["http/open.test", "https/open.test", "http/*", "http/*.wild.test", "open.test", ""])
async def test_the_scope_is_not_for_clients_to_choose(gateway: Running, backend: Backend, scope: str) -> None:
    backend.seen.clear()
    lines = (f"{SCOPE_HEADER}: {scope}", f"{SCOPE_HEADER.upper()}: {scope}")
    for server_name in (None, BY_ADDRESS):
        answer = await exchange(gateway, _request(*lines, host=BY_ADDRESS, path="/admin"), server_name)
        assert status(answer) == 403
    async with http2(gateway, BY_ADDRESS) as client:
        assert await client.request(get(BY_ADDRESS, "/admin", (SCOPE_HEADER, scope))) == 403
    assert status(await exchange(gateway, _request(*lines, host="nobody.test"))) == 404
    # Nor by making the gateway drop it as a header of this connection only.
    for line in (f"Connection: {SCOPE_HEADER}", f"Connection: close, {SCOPE_HEADER}", "Connection: host"):
        answer = await exchange(gateway, _request(line, *lines, host=BY_ADDRESS, path="/admin"))
        assert status(answer) in {400, 403}
    assert backend.seen == []


async def test_a_host_is_said_once(gateway: Running, backend: Backend) -> None:
    backend.seen.clear()
    for first, second in ((OPEN, BY_ADDRESS), (BY_ADDRESS, OPEN), (OPEN, OPEN)):
        assert status(await exchange(gateway, _request(f"Host: {second}", host=first))) in {400, 404}
    for value in (f"{OPEN}, {BY_ADDRESS}", f"{OPEN}@{BY_ADDRESS}", f"{OPEN}/x", f"{OPEN}\t", f"{OPEN} x", "[", ":80"):
        answer = await exchange(gateway, _request(host=value))
        assert status(answer) in {200, 400, 404}, answer
        assert status(answer) != 200 or value.strip() == OPEN
    assert all(seen.values("host") == [OPEN] for seen in backend.seen)
