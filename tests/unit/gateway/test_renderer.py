"""The renderer remembers who gave what: shared things stay while one user is left, and nothing stays after the last."""

import msgspec

from isoline.gateway.renderer import Batch, Renderer
from isoline.routing import ir
from isoline.routing.update import Update
from isoline.xds import types
from isoline.xds.resources import Name

GATEWAY = ir.Gateway(
    http=ir.Listener(address="127.0.0.1", port=8080), https=ir.Listener(address="127.0.0.1", port=8443)
)
CLUSTER = ir.Cluster(name="default/app/80/abc", endpoints="default/app/http")
CERTIFICATE = ir.Certificate(name="default/tls", chain=b"CHAIN", key=ir.PrivateBytes(b"KEY"))
SHARED_CLUSTER = Name(types.CLUSTER, CLUSTER.name)


def routes() -> tuple[ir.Route, ...]:
    match = ir.Match(path=ir.PathMatch(kind=ir.PathKind.PREFIX, value="/"))
    return (ir.Route(name="r", match=match, action=ir.Forward(shares=(ir.Share(cluster=CLUSTER.name, weight=1),))),)


def plain(host: str) -> ir.Site:
    return ir.Site(host=host, http=routes(), clusters=(CLUSTER,))


def secure(host: str, *, own_chain: bool = False) -> ir.Site:
    tls = ir.Tls(certificate=CERTIFICATE.name)
    return ir.Site(host=host, https=routes(), tls=tls, own_chain=own_chain, clusters=(CLUSTER,))


def started() -> Renderer:
    renderer = Renderer()
    renderer.render(Update(gateway=GATEWAY))
    return renderer


def put(batch: Batch) -> set[Name]:
    return {resource.name for resource in batch.put}


def listeners(batch: Batch) -> set[str]:
    return {name.name for name in put(batch) if name.type_url == types.LISTENER}


def test_a_gateway_gives_its_listeners_once() -> None:
    renderer = Renderer()
    assert listeners(renderer.render(Update(gateway=GATEWAY))) == {"http", "https"}
    assert listeners(renderer.render(Update(sites={"a.example": plain("a.example")}))) == set()


def test_a_cluster_that_two_sites_share_goes_with_the_second() -> None:
    renderer = started()
    renderer.render(Update(sites={host: plain(host) for host in ("a.example", "b.example")}))
    first = renderer.render(Update(sites={"a.example": None}))
    assert SHARED_CLUSTER not in first.remove
    assert Name(types.SCOPE, "http/a.example") in first.remove
    assert SHARED_CLUSTER in renderer.render(Update(sites={"b.example": None})).remove


def test_nothing_is_put_and_removed_at_once() -> None:
    renderer = started()
    renderer.render(Update(sites={"a.example": plain("a.example")}))
    moved = renderer.render(Update(sites={"a.example": None, "b.example": plain("b.example")}))
    assert SHARED_CLUSTER in put(moved)
    assert not put(moved) & set(moved.remove)


def test_a_host_on_the_shared_chain_is_certified_under_its_own_name() -> None:
    renderer = started()
    renderer.render(Update(sites={"a.example": secure("a.example")}))
    arrived = renderer.render(Update(certificates={CERTIFICATE.name: CERTIFICATE}))
    assert put(arrived) == {Name(types.SECRET, "a.example")}
    gone = renderer.render(Update(sites={"a.example": None}, certificates={CERTIFICATE.name: None}))
    assert Name(types.SECRET, "a.example") in gone.remove


def test_a_renewed_certificate_is_put_for_every_host_that_uses_it() -> None:
    renderer = started()
    hosts = ("a.example", "b.example")
    renderer.render(Update(sites={host: secure(host) for host in hosts}, certificates={CERTIFICATE.name: CERTIFICATE}))
    renewed = ir.Certificate(name=CERTIFICATE.name, chain=b"NEW", key=CERTIFICATE.key)
    assert put(renderer.render(Update(certificates={CERTIFICATE.name: renewed}))) == {
        Name(types.SECRET, host) for host in hosts
    }


def test_a_chain_of_its_own_names_its_certificate_and_changes_the_listener() -> None:
    renderer = started()
    own = Update(sites={"*.example": secure("*.example", own_chain=True)}, certificates={CERTIFICATE.name: CERTIFICATE})
    first = renderer.render(own)
    assert Name(types.SECRET, CERTIFICATE.name) in put(first)
    assert "https" in listeners(first)
    assert listeners(renderer.render(Update(sites={"a.example": plain("a.example")}))) == set()
    assert "https" in listeners(renderer.render(Update(sites={"*.example": None})))


def test_two_chains_with_one_certificate_keep_it_until_both_are_gone() -> None:
    renderer = started()
    hosts = ("*.a.example", "*.b.example")
    sites: dict[str, ir.Site | None] = {host: secure(host, own_chain=True) for host in hosts}
    renderer.render(Update(sites=sites, certificates={CERTIFICATE.name: CERTIFICATE}))
    secret = Name(types.SECRET, CERTIFICATE.name)
    assert secret not in renderer.render(Update(sites={"*.a.example": None})).remove
    assert secret in renderer.render(Update(sites={"*.b.example": None})).remove


def test_a_refused_resource_is_traced_to_every_host_that_gave_it() -> None:
    renderer = started()
    renderer.render(Update(sites={host: plain(host) for host in ("a.example", "b.example")}))
    assert sorted(renderer.hosts_of(SHARED_CLUSTER)) == ["a.example", "b.example"]
    assert list(renderer.hosts_of(Name(types.ROUTES, "http/a.example"))) == ["a.example"]


def test_only_some_settings_of_the_gateway_change_how_sites_are_rendered() -> None:
    renderer = started()
    assert not renderer.outdated_by(None)
    assert not renderer.outdated_by(ir.Gateway(http=GATEWAY.http, https=GATEWAY.https, max_request_headers=7))
    assert renderer.outdated_by(ir.Gateway(http=GATEWAY.http, https=GATEWAY.https, public_https_port=8443))


def test_a_fallback_certificate_is_there_while_a_host_enables_it() -> None:
    renderer = started()
    fallback = ir.Certificate(name="default/fallback", chain=b"FALLBACK", key=ir.PrivateBytes(b"KEY"))
    site = msgspec.structs.replace(secure("a.example"), fallback=fallback.name)
    certificates: dict[str, ir.Certificate | None] = {each.name: each for each in (CERTIFICATE, fallback)}
    first = renderer.render(Update(sites={"a.example": site}, certificates=certificates))
    name = Name(types.SECRET, fallback.name)
    assert {name, Name(types.SECRET, "a.example"), Name(types.SCOPE, "fallback/a.example")} <= put(first)
    renewed = ir.Certificate(name=fallback.name, chain=b"NEW", key=fallback.key)
    assert put(renderer.render(Update(certificates={fallback.name: renewed}))) == {name}
    gone = renderer.render(Update(sites={"a.example": secure("a.example")}, certificates={fallback.name: None}))
    assert {name, Name(types.SCOPE, "fallback/a.example")} <= set(gone.remove)
    assert listeners(gone) == {"http", "https"}


def test_every_host_on_https_changes_the_listener_while_there_is_a_fallback_and_none_without() -> None:
    renderer = started()
    fallback = msgspec.structs.replace(secure("a.example"), fallback="default/fallback")
    assert "https" in listeners(renderer.render(Update(sites={"a.example": fallback})))
    assert "https" in listeners(renderer.render(Update(sites={"b.example": secure("b.example")})))
    assert listeners(renderer.render(Update(sites={"c.example": plain("c.example")}))) == set()
    assert "https" in listeners(renderer.render(Update(sites={"a.example": secure("a.example")})))
    assert listeners(renderer.render(Update(sites={"d.example": secure("d.example")}))) == set()


def test_a_tunnel_is_a_chain_without_a_certificate_and_waits_for_its_clusters_alone() -> None:
    renderer = started()
    tunnel = ir.Tunnel(shares=(ir.Share(cluster=CLUSTER.name, weight=1), ir.Share(cluster=ir.NO_CLUSTER, weight=1)))
    site = ir.Site(host="a.example", tunnel=tunnel, own_chain=True, clusters=(CLUSTER,))
    batch = renderer.render(Update(sites={"a.example": site}))
    needs = {each.name: each.needs for each in batch.put}
    assert needs[Name(types.EXTENSION, "tunnel/a.example")] == (SHARED_CLUSTER,)
    assert needs[Name(types.LISTENER, "https")] == ()
    assert not {name.type_url for name in put(batch)} & {types.SECRET, types.SCOPE}
    assert SHARED_CLUSTER in renderer.render(Update(sites={"a.example": None})).remove


def test_what_clients_are_checked_with_changes_no_listener() -> None:
    renderer = started()

    def guarded(authorities: bytes) -> ir.Site:
        tls = ir.Tls(certificate=CERTIFICATE.name, clients=ir.ClientCertificates(authorities=authorities))
        return ir.Site(host="a.example", https=routes(), tls=tls, own_chain=True, clusters=(CLUSTER,))

    renderer.render(Update(sites={"a.example": guarded(b"ONE")}, certificates={CERTIFICATE.name: CERTIFICATE}))
    batch = renderer.render(Update(sites={"a.example": guarded(b"TWO")}))
    assert any(name.type_url == types.SECRET and name.name.startswith("clients/") for name in put(batch))
    assert listeners(batch) == set()
    (before, after) = (Renderer(), Renderer())
    versions = []
    for each, pem in ((before, b"ONE"), (after, b"TWO")):
        each.render(Update(gateway=GATEWAY))
        made = each.render(Update(sites={"a.example": guarded(pem)}))
        versions += [resource.version for resource in made.put if resource.name == Name(types.LISTENER, "https")]
    assert len(set(versions)) == 1


def test_a_filter_comes_with_the_first_site_that_asks_for_it_and_stays() -> None:
    renderer = started()
    limited = msgspec.structs.replace(plain("a.example"), local_limit=ir.LocalLimit(requests=1, interval=1.0))
    assert listeners(renderer.render(Update(sites={"a.example": limited}))) == {"http", "https"}
    assert listeners(renderer.render(Update(sites={"a.example": None}))) == set()
    assert (
        listeners(renderer.render(Update(sites={"b.example": msgspec.structs.replace(limited, host="b.example")})))
        == set()
    )


def test_hosts_of_http3_share_a_listener_that_goes_with_the_last() -> None:
    renderer = Renderer()
    renderer.render(
        Update(gateway=msgspec.structs.replace(GATEWAY, http3=True), certificates={"default/tls": CERTIFICATE})
    )
    quick = msgspec.structs.replace(secure("a.example"), traffic=ir.Traffic(http3=60.0))
    came = renderer.render(Update(sites={"a.example": quick, "b.example": secure("b.example")}))
    assert "http3" in listeners(came)
    assert Name(types.SECRET, CERTIFICATE.name) in put(came)
    gone = renderer.render(Update(sites={"a.example": secure("a.example")}))
    assert {Name(types.LISTENER, "http3"), Name(types.SECRET, CERTIFICATE.name)} <= set(gone.remove)


def test_certificates_for_upstreams_come_and_go_with_their_sites() -> None:
    renderer = started()
    upstream = msgspec.structs.replace(CLUSTER, protocol=ir.Upstream.TLS, client_certificate=CERTIFICATE.name)
    site = msgspec.structs.replace(plain("a.example"), clusters=(upstream,))
    came = renderer.render(Update(sites={"a.example": site}, certificates={"default/tls": CERTIFICATE}))
    assert Name(types.SECRET, CERTIFICATE.name) in put(came)
    gone = renderer.render(Update(sites={"a.example": None}, certificates={"default/tls": None}))
    assert Name(types.SECRET, CERTIFICATE.name) in gone.remove
