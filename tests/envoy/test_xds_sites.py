"""Which site answers: exact hosts, wildcards, letters, forged headers, and the two names of one connection."""

import ssl

import pytest

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import TO_HTTPS, certificate, cluster, endpoints, forward, prefix, respond

WILDCARD = ir.Tls(certificate="default/wild")


def https(host: str, body: str, name: str) -> ir.Site:
    return ir.Site(host=host, https=(respond(body),), tls=ir.Tls(certificate=name))


@pytest.fixture
def two_sites(edge: Edge) -> Edge:
    """a.example.com and b.example.com on both schemes, each with its own certificate."""
    for name in "ab":
        host = f"{name}.example.com"
        edge.world.put_certificate(certificate(f"default/{name}", host), [host])
        edge.world.put(
            ir.Site(
                host=host,
                http=(respond(f"plain {name}"),),
                https=(respond(f"secure {name}"),),
                tls=ir.Tls(certificate=f"default/{name}"),
            )
        )
    return edge


@pytest.fixture
def wildcard(two_sites: Edge) -> Edge:
    """`two_sites`, and a wildcard beside them; its certificate covers them too."""
    two_sites.world.put_certificate(certificate("default/wild", "*.example.com"))
    two_sites.world.put(
        ir.Site(
            host="*.example.com", http=(respond("plain *"),), https=(respond("secure *"),), tls=WILDCARD, own_chain=True
        )
    )
    return two_sites


async def test_an_exact_host_is_served_on_both_schemes(two_sites: Edge) -> None:
    for name in "ab":
        await two_sites.answers(f"http://{name}.example.com/", text=f"plain {name}")
        await two_sites.answers(f"https://{name}.example.com/", text=f"secure {name}")
        await two_sites.answers(f"https://{name}.example.com/", text=f"secure {name}", http2=True)


async def test_the_port_of_a_host_is_no_part_of_its_name(two_sites: Edge) -> None:
    await two_sites.answers("http://a.example.com/", text="plain a", host="a.example.com:8080")
    await two_sites.answers("https://a.example.com/", text="secure a", host="a.example.com:8443")


async def test_letters_and_a_closing_dot_do_not_matter(two_sites: Edge) -> None:
    await two_sites.answers("http://a.example.com/", text="plain a", host="A.Example.COM")
    await two_sites.answers("http://a.example.com/", text="plain a", host="A.example.com:80")
    await two_sites.answers("http://a.example.com/", text="plain a", host="a.example.com.")
    await two_sites.answers("https://A.Example.com/", text="secure a", host="a.EXAMPLE.com")
    await two_sites.answers("https://A.Example.com/", text="secure a", http2=True)


async def test_a_host_without_a_site_is_not_found(two_sites: Edge) -> None:
    await two_sites.answers("http://a.example.com/")
    assert (await two_sites.get("http://c.example.com/")).status_code == 404
    assert (await two_sites.get("http://[::1]:80/")).status_code == 404


async def test_a_path_without_a_route_is_not_found(edge: Edge) -> None:
    edge.world.put(ir.Site(host="a.example.com", http=(respond("in", match=prefix("/in")),)))
    await edge.answers("http://a.example.com/in", text="in")
    assert (await edge.get("http://a.example.com/out")).status_code == 404


async def test_a_client_cannot_say_which_site_it_means(two_sites: Edge) -> None:
    forged = {"x-isoline-scope": "http/b.example.com"}
    await two_sites.answers("http://a.example.com/", text="plain a", headers=forged)
    await two_sites.answers(
        "https://a.example.com/", text="secure a", headers={"X-Isoline-Scope": "https/b.example.com"}
    )


async def test_a_host_other_than_the_handshakes_is_misdirected(two_sites: Edge) -> None:
    await two_sites.answers("https://a.example.com/")
    assert (await two_sites.get("https://a.example.com/", host="b.example.com")).status_code == 421
    assert (await two_sites.get("https://a.example.com/", host="b.example.com", http2=True)).status_code == 421


async def test_a_handshake_for_nobody_or_for_a_stranger_fails(two_sites: Edge) -> None:
    await two_sites.answers("https://a.example.com/")
    for name in ("c.example.com", "example.com", None):
        with pytest.raises((ssl.SSLError, OSError)):
            await two_sites.peer_certificate(name)


async def test_a_wildcard_takes_what_no_exact_site_does(wildcard: Edge) -> None:
    await wildcard.answers("http://c.example.com/", text="plain *")
    await wildcard.answers("https://c.example.com/", text="secure *")
    await wildcard.answers("http://a.example.com/", text="plain a")
    await wildcard.answers("https://a.example.com/", text="secure a")
    await wildcard.answers("http://C.Example.com/", text="plain *", host="C.EXAMPLE.com:81")
    await wildcard.answers("https://C.Example.com/", text="secure *", host="C.EXAMPLE.com:81")


async def test_a_wildcard_is_one_label(wildcard: Edge) -> None:
    await wildcard.answers("http://c.example.com/")
    await wildcard.answers("https://c.example.com/")
    for url in ("http://c.d.example.com/", "https://c.d.example.com/", "http://example.com/"):
        assert (await wildcard.get(url)).status_code == 404
    assert (await wildcard.get("https://c.example.com/", host="c.d.example.com")).status_code == 421


async def test_two_names_of_one_wildcard_share_a_connection(wildcard: Edge) -> None:
    await wildcard.answers("https://c.example.com/")
    for http2 in (False, True):
        answer = await wildcard.get("https://c.example.com/", host="d.example.com", http2=http2)
        assert (answer.status_code, answer.text) == (200, "secure *")
        assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")


async def test_requests_for_two_names_of_one_wildcard_may_alternate_on_one_connection(wildcard: Edge) -> None:
    await wildcard.answers("https://c.example.com/")
    before = await wildcard.admin("/stats?filter=listener.https.downstream_cx_total")
    async with wildcard.client(http2=True) as client:
        for host, status in (
            ("d.example.com", 200),
            ("c.example.com", 200),
            ("a.example.com", 421),
            ("E.EXAMPLE.com", 200),
        ):
            assert (await wildcard.send(client, "https://c.example.com/", host=host)).status_code == status
    after = await wildcard.admin("/stats?filter=listener.https.downstream_cx_total")
    assert int(after.split(": ")[1]) == int(before.split(": ")[1]) + 1


async def test_an_exact_site_is_not_answered_by_a_wildcards_connection(wildcard: Edge) -> None:
    await wildcard.answers("https://c.example.com/")
    assert (await wildcard.get("https://c.example.com/", host="a.example.com")).status_code == 421
    assert (await wildcard.get("https://c.example.com/", host="A.example.com:443", http2=True)).status_code == 421
    assert (await wildcard.get("https://c.example.com/", host="elsewhere.org")).status_code == 421


async def test_a_missing_path_of_an_exact_site_is_not_the_wildcards(wildcard: Edge) -> None:
    wildcard.world.put(
        ir.Site(
            host="a.example.com",
            http=(respond("in", match=prefix("/in")),),
            https=(respond("in", match=prefix("/in")),),
            tls=ir.Tls(certificate="default/a"),
        )
    )
    await wildcard.answers("https://a.example.com/in", text="in")
    await wildcard.answers("http://a.example.com/in", text="in")
    await wildcard.answers("https://c.example.com/")
    assert (await wildcard.get("https://a.example.com/out")).status_code == 404
    assert (await wildcard.get("http://a.example.com/out")).status_code == 404


async def test_only_the_first_wildcard_changes_the_plain_listener(two_sites: Edge) -> None:
    async def updates() -> str:
        return (await two_sites.admin("/stats?filter=listener_manager.listener_modified")).strip()

    await two_sites.answers("http://c.example.com/", 404)
    two_sites.world.put(ir.Site(host="*.example.com", http=(respond("plain *"),)))
    await two_sites.answers("http://c.example.com/")
    first = await updates()
    async with two_sites.client() as client:
        await two_sites.send(client, "http://c.example.com/")
        two_sites.world.remove("*.example.com")
        two_sites.world.put(ir.Site(host="*.example.org", http=(respond("another *"),)))

        async def moved() -> bool:
            answers = [await two_sites.send(client, f"http://c.example.{end}/") for end in ("com", "org")]
            return [answer.status_code for answer in answers] == [404, 200]

        await two_sites.eventually(moved)
    assert await updates() == first


async def test_plain_http_redirects_to_the_public_https_port(edge: Edge) -> None:
    edge.world.put(ir.Site(host="a.example.com", http=(TO_HTTPS,)))
    answer = await edge.answers("http://a.example.com/x?y=1", 301, host="a.example.com:8080")
    assert answer.headers["location"] == f"https://a.example.com:{edge.https_port}/x?y=1"


async def test_a_site_that_has_only_tls_answers_not_found(edge: Edge) -> None:
    edge.world.put_certificate(certificate("default/a", "a.example.com"), ["a.example.com"])
    edge.world.put(ir.Site(host="a.example.com", tls=ir.Tls(certificate="default/a")))
    await edge.answers("https://a.example.com/", 404)


async def test_the_app_sees_its_host_and_nothing_forged(edge: Edge, app: App) -> None:
    edge.world.put_certificate(certificate("default/a", "a.example.com"), ["a.example.com"])
    edge.world.put_endpoints(endpoints("app", app.port))
    edge.world.put(
        ir.Site(
            host="a.example.com",
            https=(forward("default/app/http/a"),),
            tls=ir.Tls(certificate="default/a"),
            clusters=(cluster("app"),),
        )
    )
    forged = {
        "x-forwarded-for": "6.6.6.6",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "evil.example.com",
        "x-forwarded-port": "1",
        "x-forwarded-prefix": "/evil",
        "x-real-ip": "6.6.6.6",
        "forwarded": "for=6.6.6.6",
        "x-envoy-max-retries": "9",
        "x-envoy-upstream-rq-timeout-ms": "1",
    }
    answer = await edge.answers("https://a.example.com/", host="a.example.com:8443", headers=forged)
    got = answer.json()["headers"]
    assert got["host"] == got["x-forwarded-host"] == "a.example.com:8443"
    assert "6.6.6.6" not in got["x-forwarded-for"]
    assert "," not in got["x-forwarded-for"]
    assert got["x-forwarded-proto"] == "https"
    assert got["x-request-id"]
    unwanted = {
        "x-isoline-scope",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "x-real-ip",
        "forwarded",
        "x-envoy-max-retries",
    }
    assert not unwanted & got.keys()
    assert [name for name in got if name.startswith("x-envoy-")] == ["x-envoy-external-address"]
    assert "x-isoline-scope" not in answer.headers


async def test_http_1_0_needs_a_host(two_sites: Edge) -> None:
    await two_sites.answers("http://a.example.com/")
    with_host = await two_sites.raw(b"GET / HTTP/1.0\r\nHost: a.example.com\r\n\r\n")
    assert b" 200 " in with_host.splitlines()[0]
    assert b" 400 " in (await two_sites.raw(b"GET / HTTP/1.0\r\n\r\n")).splitlines()[0]
    assert b" 400 " in (await two_sites.raw(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")).splitlines()[0]


async def test_a_wildcard_takes_labels_with_an_underscore(wildcard: Edge) -> None:
    await wildcard.answers("http://under_score.example.com/", text="plain *")
    await wildcard.answers("https://under_score.example.com/", text="secure *")
