"""Who is let in by certificate, who is not, and what the app is told of it."""

import ssl
from pathlib import Path
from urllib.parse import unquote

import httpx
import msgspec
import pytest
from envoy.config.listener.v3 import listener_pb2

from isoline.routing import ir
from isoline.xds import names, types
from isoline.xds.resources import Name
from unit.xds.apps import App
from unit.xds.authority import Authority
from unit.xds.edge import Edge
from unit.xds.support import certificate, cluster, endpoints, forward, respond

HOST = "a.example.com"
OURS, THEIRS = Authority("ours"), Authority("theirs")
REQUIRED = ir.ClientCertificates(authorities=OURS.pem)


class Visitor:
    """A client with or without a certificate."""

    def __init__(self, edge: Edge, file: Path | None) -> None:
        self._edge = edge
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        if file is not None:
            self._context.load_cert_chain(file)

    async def get(self, host: str = HOST, *, asked: str | None = None, **headers: str) -> httpx.Response:
        """Raises an error where the handshake fails."""
        async with httpx.AsyncClient(verify=self._context, trust_env=False) as client:
            return await self._edge.send(client, f"https://{host}/", host=asked, headers=headers)

    async def is_let_in(self, host: str = HOST) -> bool:
        try:
            return (await self.get(host)).status_code == 200
        except (httpx.TransportError, OSError):
            return False


def guard(edge: Edge, clients: ir.ClientCertificates | None, host: str = HOST) -> None:
    name = "default/wild" if host.startswith("*") else "default/a"
    edge.world.put_certificate(certificate(name, host), [host])
    tls = ir.Tls(certificate=name, clients=clients)
    edge.world.put(ir.Site(host=host, https=(respond("in"),), tls=tls, own_chain=True))


async def seen(edge: Edge, clients: ir.ClientCertificates, known: Visitor) -> None:
    """Waits until the site stands."""
    guard(edge, clients)
    await edge.eventually(known.is_let_in)


@pytest.fixture
def known(edge: Edge, tmp_path: Path) -> Visitor:
    OURS.issue(tmp_path / "known.pem", "known.example.com")
    return Visitor(edge, tmp_path / "known.pem")


@pytest.fixture
def foreign(edge: Edge, tmp_path: Path) -> Visitor:
    THEIRS.issue(tmp_path / "foreign.pem", "foreign.example.com")
    return Visitor(edge, tmp_path / "foreign.pem")


@pytest.fixture
def nobody(edge: Edge) -> Visitor:
    return Visitor(edge, None)


@pytest.mark.parametrize(
    ("clients", "foreigners", "nobodies"),
    [
        (REQUIRED, False, False),
        (msgspec.structs.replace(REQUIRED, optional=True), False, True),
        (msgspec.structs.replace(REQUIRED, verify=False), True, False),
        (ir.ClientCertificates(verify=False), True, True),
    ],
    ids=["required", "optional", "unverified", "only-asked-for"],
)
async def test_who_is_let_in(
    edge: Edge,
    known: Visitor,
    foreign: Visitor,
    nobody: Visitor,
    clients: ir.ClientCertificates,
    foreigners: bool,
    nobodies: bool,
) -> None:
    await seen(edge, clients, known)
    assert await foreign.is_let_in() is foreigners
    assert await nobody.is_let_in() is nobodies
    assert edge.rejected == []


async def test_a_certificate_that_was_taken_back(edge: Edge, known: Visitor, tmp_path: Path) -> None:
    number = OURS.issue(tmp_path / "lost.pem", "lost.example.com")
    lost = Visitor(edge, tmp_path / "lost.pem")
    await seen(edge, msgspec.structs.replace(REQUIRED, revocations=OURS.revoke(1)), known)
    assert await lost.is_let_in()
    guard(edge, msgspec.structs.replace(REQUIRED, revocations=OURS.revoke(number)))

    async def is_out() -> bool:
        return not await lost.is_let_in()

    await edge.eventually(is_out)
    assert await known.is_let_in()


async def test_a_ca_is_exchanged_without_a_change_of_the_listener(edge: Edge, known: Visitor, foreign: Visitor) -> None:
    await seen(edge, REQUIRED, known)
    before = await edge.admin("/stats?filter=listener_manager.listener_in_place_updated")
    guard(edge, ir.ClientCertificates(authorities=THEIRS.pem))
    await edge.eventually(foreign.is_let_in)
    assert not await known.is_let_in()
    assert await edge.admin("/stats?filter=listener_manager.listener_in_place_updated") == before


async def test_no_way_around_it_leads_over_another_host(edge: Edge, known: Visitor, nobody: Visitor) -> None:
    edge.world.put_certificate(certificate("default/b", "b.example.com"), ["b.example.com"])
    edge.world.put(
        ir.Site(host="b.example.com", https=(respond("open"),), tls=ir.Tls(certificate="default/b"), own_chain=True)
    )
    guard(edge, None, "*.example.com")
    await seen(edge, REQUIRED, known)
    await edge.answers("https://c.example.com/")
    for open_host in ("b.example.com", "c.example.com"):
        assert (await nobody.get(open_host)).status_code == 200
        assert (await nobody.get(open_host, asked=HOST)).status_code == 421
    assert not await nobody.is_let_in(HOST.upper())


async def test_a_host_beside_a_guarded_wildcard_asks_nobody(edge: Edge, known: Visitor, nobody: Visitor) -> None:
    guard(edge, REQUIRED, "*.example.com")
    guard(edge, None, "b.example.com")

    async def all_is_there() -> bool:
        return await nobody.is_let_in("b.example.com") and await known.is_let_in("c.example.com")

    await edge.eventually(all_is_there)
    assert not await nobody.is_let_in("c.example.com")


async def test_hosts_of_one_authority_share_a_chain_and_keep_apart(
    edge: Edge, known: Visitor, foreign: Visitor, nobody: Visitor
) -> None:
    shared = msgspec.structs.replace(REQUIRED, name="certs/ca -")
    other = ir.ClientCertificates(name="certs/theirs -", authorities=THEIRS.pem)
    hosts = ["a.example.com", "b.example.com", "c.example.com"]
    for host, clients in zip(hosts, (shared, shared, other), strict=True):
        name = f"default/{host[0]}"
        edge.world.put_certificate(certificate(name, host), [host])
        site = ir.Site(host=host, https=(respond(host),), tls=ir.Tls(certificate=name, clients=clients), own_chain=True)
        edge.world.put(site)
    listener = edge.world.cache.get(Name(types.LISTENER, names.HTTPS_LISTENER))
    assert listener is not None
    assert len(listener_pb2.Listener.FromString(listener.body).filter_chains) == 3

    async def all_answer() -> bool:
        return all([await known.is_let_in(host) for host in hosts[:2]]) and await foreign.is_let_in(hosts[2])

    await edge.eventually(all_answer)
    for host in hosts[:2]:
        assert (await known.get(host)).text == host
        assert not await foreign.is_let_in(host)
        assert not await nobody.is_let_in(host)
    assert not await known.is_let_in(hosts[2])
    assert (await known.get(hosts[0], asked=hosts[1])).status_code == 421
    assert edge.rejected == []


@pytest.mark.parametrize(
    ("forward_", "parts"),
    [
        (ir.ForwardedCertificate(), {"Hash"}),
        (ir.ForwardedCertificate(subject=True, dns=True), {"Hash", "Subject", "DNS"}),
        (
            ir.ForwardedCertificate(subject=True, certificate=True, chain=True, dns=True, uri=True),
            {"Hash", "Subject", "Cert", "Chain", "DNS", "URI"},
        ),
        (None, set()),
    ],
    ids=["hash", "some", "all", "none"],
)
async def test_what_the_app_is_told(
    edge: Edge, known: Visitor, app: App, forward_: ir.ForwardedCertificate | None, parts: set[str]
) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    edge.world.put_certificate(certificate("default/a", HOST), [HOST])
    clients = msgspec.structs.replace(REQUIRED, forward=forward_)
    routes = (forward("default/app/http/a"),)
    edge.world.put(
        ir.Site(
            host=HOST,
            http=routes,
            https=routes,
            tls=ir.Tls(certificate="default/a", clients=clients),
            own_chain=True,
            clusters=(cluster("app"),),
        )
    )
    await edge.eventually(known.is_let_in)
    forged = {"x-forwarded-client-cert": 'Hash=00;Subject="CN=admin";URI=spiffe://clients/admin'}
    told = (await known.get(**forged)).json()["headers"].get("x-forwarded-client-cert", "")
    assert {part.partition("=")[0] for part in told.split(";") if part} == parts
    assert "admin" not in unquote(told)
    if "DNS" in parts:
        assert "DNS=known.example.com" in told
    on_plain_http = await edge.answers(f"http://{HOST}/", headers=forged)
    assert "x-forwarded-client-cert" not in on_plain_http.json()["headers"]
