"""loadBalancerPolicy: which replica gets a request, a connection, a question."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from unit.xds.serving import Replica, Served, guarded, replica, replicas, serving

HOST = "http://a.example.com"
NAMES = ["one", "two", "three"]
STRATEGIES = ["RoundRobin", "Random", "WeightedLeastRequest"]
SERVICE = "\n---\napiVersion: v1\nkind: Service\nmetadata: {name: app}\nspec: {ports: [{port: 80}]}\n"


def behind(*ports: int) -> str:
    """The Service and its replicas."""
    return SERVICE + "".join("---" + replica("app", port) for port in ports)


def routes(policy: str) -> str:
    return f"""
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {{name: web}}
spec:
  virtualhost: {{fqdn: a.example.com}}
  routes: [{{services: [{{name: app, port: 80}}], loadBalancerPolicy: {policy}}}]
"""


def asked(policy: str) -> str:
    """A host whose requests the replicas are asked about; what they let pass is answered with 204."""
    return guarded(f"loadBalancerPolicy: {policy}", patience="60s")


@asynccontextmanager
async def three(folder: Path, manifests: str) -> AsyncIterator[tuple[Served, list[Replica]]]:
    """Three replicas behind a policy, each of which has been reached."""
    async with replicas(*NAMES) as apps, serving(folder, manifests + behind(*(app.port for app in apps))) as served:

        async def all_are_reached() -> bool:
            await served.get(f"{HOST}/first")
            return all(app.seen["/first"] for app in apps)

        await served.eventually(all_are_reached)
        yield served, apps


async def order(served: Served, apps: list[Replica], count: int) -> list[str]:
    """Which replica got each of that many requests."""
    found = []
    for number in range(count):
        await served.get(f"{HOST}/{number}")
        found += [app.name for app in apps if app.seen[f"/{number}"]]
    return found


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("manifests", [routes, asked], ids=["routes", "extension"])
async def test_replicas_of_a_route_and_of_an_extension_service(
    tmp_path: Path, manifests: Callable[[str], str], strategy: str
) -> None:
    async with three(tmp_path, manifests(f"{{strategy: {strategy}}}")) as (served, apps):
        if strategy == "WeightedLeastRequest":
            held = asyncio.create_task(served.get(f"{HOST}/hold"))

            async def one_works() -> bool:
                return any(app.working for app in apps)

            await served.eventually(one_works)
            busy = next(app for app in apps if app.working)
            assert busy.name not in await order(served, apps, 9)
            busy.go_on.set()
            await held
            return
        found = await order(served, apps, 60)
        turns = [found[:3] * 20 == found, sorted(set(found)) == sorted(NAMES)]
        assert turns == [strategy == "RoundRobin", True]


async def test_a_cookie_keeps_a_client_with_its_replica(tmp_path: Path) -> None:
    async with three(tmp_path, routes("{strategy: Cookie}")) as (served, _):
        first = await served.get(f"{HOST}/")
        cookie, *attributes = first.headers["set-cookie"].split("; ")
        assert (cookie.partition("=")[0], attributes) == ("X-Contour-Session-Affinity", ["Path=/", "HttpOnly"])
        assert set(await served.texts(f"{HOST}/", 6, cookie=cookie)) == {first.text}
        assert len(set(await served.texts(f"{HOST}/", 60))) > 1


@pytest.mark.parametrize(
    ("policy", "same", "differing"),
    [
        ("{headerHashOptions: {headerName: X-User}}", [("/", "u")], [("/", str(n)) for n in range(60)]),
        (
            "{queryParameterHashOptions: {parameterName: user}}",
            [("/?user=u", "")],
            [(f"/?user={n}", "") for n in range(60)],
        ),
        ("{hashSourceIP: true}", [("/", "a"), ("/x", "b"), ("/?user=c", "d")], []),
        # With a terminal entry that applies nothing after it counts.
        (
            "{terminal: true, headerHashOptions: {headerName: X-User}}, {hashSourceIP: true}",
            [("/", ""), ("/x", ""), ("/?user=c", "")],
            [("/", str(n)) for n in range(60)],
        ),
    ],
    ids=["header", "query", "address", "terminal"],
)
async def test_what_a_request_shows_chooses_its_replica(
    tmp_path: Path, policy: str, same: list[tuple[str, str]], differing: list[tuple[str, str]]
) -> None:
    manifests = routes(f"{{strategy: RequestHash, requestHashPolicies: [{policy}]}}")
    async with replicas(*NAMES) as apps, serving(tmp_path, manifests + behind(*(app.port for app in apps))) as served:
        await served.answers(f"{HOST}/")

        async def all_are_there() -> bool:
            listed = await served.admin("/clusters")
            return all(f"127.0.0.1:{app.port}::" in listed for app in apps)

        await served.eventually(all_are_there)

        async def text(path: str, user: str) -> str:
            return (await served.get(HOST + path, **({"x-user": user} if user else {}))).text

        assert len({await text(*each) for each in same * 4}) == 1
        assert len({await text(*each) for each in differing}) != 1


# --- connections


def tunnel(policy: str) -> str:
    return f"""
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {{name: web}}
spec:
  virtualhost: {{fqdn: a.example.com, tls: {{secretName: tls}}}}
  tcpproxy: {{services: [{{name: app, port: 80}}], loadBalancerPolicy: {policy}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: tls}}
type: kubernetes.io/tls
data: {{tls.crt: CERTIFICATE, tls.key: KEY}}
"""


class Connection:
    """A connection through the gateway to somebody who said his name."""

    def __init__(self, name: str, writer: asyncio.StreamWriter) -> None:
        self.name = name
        self._writer = writer

    def close(self) -> None:
        self._writer.close()


async def connect(served: Served) -> Connection:
    """Raises ConnectionError where nobody says a name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", served.gateway.https_port, ssl=context, server_hostname="a.example.com"
    )
    name = (await reader.readline()).decode().strip()
    if not name:
        writer.close()
        raise ConnectionError("closed without a word")
    return Connection(name, writer)


@asynccontextmanager
async def three_talkers(folder: Path, manifests: str) -> AsyncIterator[Served]:
    """Three replicas that say their names to whoever connects, each of which has been reached."""

    def talker(name: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(f"{name}\n".encode())
            await reader.read()
            writer.close()

        return talk

    servers = [await asyncio.start_server(talker(name), "127.0.0.1", 0) for name in NAMES]
    try:
        async with serving(
            folder, manifests + behind(*(each.sockets[0].getsockname()[1] for each in servers))
        ) as served:
            reached: set[str] = set()

            async def all_are_reached() -> bool:
                try:
                    connection = await connect(served)
                except (OSError, ssl.SSLError):
                    return False
                connection.close()
                reached.add(connection.name)
                return reached == set(NAMES)

            await served.eventually(all_are_reached)
            await served.counted("upstream_cx_active", 0)
            yield served
    finally:
        for server in servers:
            server.close()


@pytest.mark.parametrize("strategy", [*STRATEGIES, "Cookie", "RequestHash"])
async def test_replicas_of_a_tunnel(tmp_path: Path, strategy: str) -> None:
    async with three_talkers(tmp_path, tunnel(f"{{strategy: {strategy}}}")) as served:
        if strategy == "WeightedLeastRequest":
            held = {(connection := await connect(served)).name: connection for _ in range(3)}
            assert sorted(held) == sorted(NAMES)
            for name in (*NAMES, *reversed(NAMES)):
                held[name].close()
                await served.counted("upstream_cx_active", 2)
                held[name] = await connect(served)
                assert held[name].name == name
            for connection in held.values():
                connection.close()
            return
        found = []
        for _ in range(30):
            connection = await connect(served)
            connection.close()
            found.append(connection.name)
        # What is about requests only is passed over: RoundRobin is used.
        assert (found[:3] * 10 == found, set(found)) == (strategy != "Random", set(NAMES))
