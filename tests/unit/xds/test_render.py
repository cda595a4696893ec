"""What the goldens cannot show: what stays equal, what is shared, and what is never written out."""

import msgspec
import pytest
from envoy.config.route.v3 import route_pb2, scoped_route_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2

from isoline.routing import ir
from isoline.xds import clusters, names, secrets, types
from isoline.xds.filters.place import Place
from isoline.xds.filters.table import TABLE, used_by
from isoline.xds.render import render_endpoints, render_gateway, render_site
from isoline.xds.resources import Name, Resource
from unit.xds.support import TO_HTTPS, certificate, cluster, endpoints, forward, prefix, respond

GATEWAY = ir.Gateway(http=ir.Listener(address="127.0.0.1", port=80), https=ir.Listener(address="127.0.0.1", port=443))
TLS = ir.Tls(certificate="default/cert")
SCOPES = ("http/a.example.com", "https/a.example.com")


def by_type(resources: list[Resource], type_url: str) -> dict[str, Resource]:
    return {each.name.name: each for each in resources if each.name.type_url == type_url}


def routes_of_scopes(resources: list[Resource]) -> dict[str, str]:
    scopes = by_type(resources, types.SCOPE).values()
    messages = [scoped_route_pb2.ScopedRouteConfiguration.FromString(each.body) for each in scopes]
    return {message.name: message.route_configuration_name for message in messages}


def test_equal_ir_gives_equal_bytes() -> None:
    def resources() -> list[Resource]:
        site = ir.Site(host="a.example.com", http=(forward("c"),), clusters=(cluster("app"),))
        return [*render_site(site, GATEWAY), *render_gateway(GATEWAY, {}, used=used_by(site))]

    assert resources() == resources()


def test_routes_need_their_clusters_and_endpoints_once_each() -> None:
    both = (forward("default/a/http/a", "default/b/http/a"), forward("default/a/http/a", name="again"))
    site = ir.Site(host="a.example.com", http=both, clusters=(cluster("a"), cluster("b")))
    (routes,) = by_type(render_site(site, GATEWAY), types.ROUTES).values()
    assert routes.needs == (
        Name(types.CLUSTER, "default/a/http/a"),
        Name(types.CLUSTER, "default/b/http/a"),
        Name(types.ENDPOINTS, "default/a/http"),
        Name(types.ENDPOINTS, "default/b/http"),
    )


def on_both(*routes: ir.Route, host: str = "a.example.com") -> ir.Site:
    """A site that serves the same on both schemes."""
    return ir.Site(host=host, http=routes, https=routes, tls=TLS)


def test_what_is_served_on_both_schemes_is_there_once() -> None:
    resources = render_site(on_both(respond("x")), GATEWAY)
    assert routes_of_scopes(resources) == dict.fromkeys(SCOPES, "https/a.example.com")
    assert list(by_type(resources, types.ROUTES)) == ["https/a.example.com"]


@pytest.mark.parametrize(
    "site",
    [
        pytest.param(msgspec.structs.replace(on_both(respond("x")), http=(respond("y"),)), id="other routes"),
        pytest.param(on_both(respond("x"), host="*.example.com"), id="a wildcard, of one label on HTTPS"),
        pytest.param(
            on_both(msgspec.structs.replace(respond("x"), traffic=ir.Traffic(http3=60.0))),
            id="HTTP/3, told of on HTTPS",
        ),
        pytest.param(
            on_both(
                ir.Route(
                    name="all",
                    match=prefix("/"),
                    action=ir.Forward(
                        shares=(ir.Share(cluster="default/a/http/a", weight=1),), follow_redirects=ir.FollowRedirects()
                    ),
                )
            ),
            id="redirects that are followed by their host",
        ),
    ],
)
def test_what_differs_by_the_scheme_is_there_twice(site: ir.Site) -> None:
    resources = render_site(site, GATEWAY)
    scopes = [f"{scheme}/{site.host}" for scheme in ("http", "https")]
    assert routes_of_scopes(resources) == {name: name for name in scopes}
    assert sorted(by_type(resources, types.ROUTES)) == scopes


def test_a_cluster_is_the_same_whichever_site_names_it() -> None:
    one = ir.Site(host="a.example.com", http=(forward("default/app/http/a"),), clusters=(cluster("app"),))
    two = msgspec.structs.replace(one, host="b.example.com")
    assert by_type(render_site(one, GATEWAY), types.CLUSTER) == by_type(render_site(two, GATEWAY), types.CLUSTER)


def test_sites_that_only_redirect_share_their_routes() -> None:
    https = (respond("x"),)
    by_segments = ir.Match(path=ir.PathMatch(kind=ir.PathKind.SEGMENTS, value="/"))
    all_redirect = (
        ir.Route(name="api", match=prefix("/api"), action=ir.HttpsRedirect()),
        ir.Route(name="all", match=by_segments, action=ir.HttpsRedirect()),
    )
    for http in ((TO_HTTPS,), all_redirect):
        rendered = render_site(ir.Site(host="a.example.com", http=http, https=https, tls=TLS), GATEWAY)
        assert routes_of_scopes(rendered)["http/a.example.com"] == names.REDIRECT_ROUTES
        assert list(by_type(rendered, types.ROUTES)) == ["https/a.example.com"]


@pytest.mark.parametrize(
    "http",
    [
        (ir.Route(name="part", match=prefix("/part"), action=ir.HttpsRedirect()),),
        (respond("open", match=prefix("/open")), TO_HTTPS),
        (msgspec.structs.replace(TO_HTTPS, response_headers=ir.HeaderEdits(remove=("server",))),),
        (
            ir.Route(
                name="get",
                match=ir.Match(path=prefix("/").path, headers=(ir.HeaderMatch(name="x", kind=ir.ValueKind.PRESENT),)),
                action=ir.HttpsRedirect(),
            ),
        ),
    ],
    ids=["part", "mixed", "headers", "conditions"],
)
def test_sites_that_do_more_than_redirect_have_routes_of_their_own(http: tuple[ir.Route, ...]) -> None:
    rendered = render_site(ir.Site(host="a.example.com", http=http), GATEWAY)
    assert routes_of_scopes(rendered)["http/a.example.com"] == "http/a.example.com"


def test_every_route_has_a_name_and_a_site_answers_every_path() -> None:
    site = ir.Site(host="a.example.com", http=(respond("x", match=prefix("/x")),), https=(respond("x"),), tls=TLS)
    rendered = [*render_site(site, GATEWAY), *render_gateway(GATEWAY, {})]
    for resource in by_type(rendered, types.ROUTES).values():
        configuration = route_pb2.RouteConfiguration.FromString(resource.body)
        assert names.SCOPE_HEADER in configuration.request_headers_to_remove
        for host in configuration.virtual_hosts:
            assert all(route.name for route in host.routes)
            assert host.routes[-1].match.prefix == "/"


def test_a_host_that_is_not_on_plain_http_has_no_scope_there() -> None:
    rendered = render_site(ir.Site(host="a.example.com", https=(respond("x"),), tls=TLS), GATEWAY)
    assert list(routes_of_scopes(rendered)) == ["https/a.example.com"]


def test_a_certificate_is_kept_once_however_many_hosts_share_it() -> None:
    source = certificate("default/cert", "a.example.com")
    body = secrets.body(source)
    rendered = [secrets.secret(host, body) for host in ("a.example.com", "b.example.com")]
    assert [each.name.name for each in rendered] == ["a.example.com", "b.example.com"]
    assert len({id(each.body) for each in rendered}) == 1
    secret = secret_pb2.Secret.FromString(secrets.named(rendered[0].body, "A.example.com"))
    assert secret.name == "A.example.com"
    assert secret.tls_certificate.certificate_chain.inline_bytes == source.chain
    assert secret.tls_certificate.private_key.inline_bytes == bytes(source.key)


def test_the_key_of_a_certificate_is_not_shown() -> None:
    source = certificate("default/cert", "a.example.com")
    assert "PRIVATE KEY" not in repr(source)
    rendered = secrets.secret("a.example.com", secrets.body(source))
    assert "PRIVATE KEY" not in f"{rendered!r} {rendered} {rendered.body!r}"


def test_endpoints_that_are_the_same_are_the_same_resource() -> None:
    assert render_endpoints(endpoints("app", 1, 2)) == render_endpoints(endpoints("app", 1, 2))
    assert render_endpoints(endpoints("app", 1)) != render_endpoints(endpoints("app", 2))


def test_a_wildcard_on_plain_http_changes_the_plain_listener_alone() -> None:
    used = used_by(ir.Site(host="*.example.com", http=(respond("hello"),)))
    without, with_one = (render_gateway(GATEWAY, {}, used=each) for each in (frozenset[str](), used))
    changed = [one.name for one, two in zip(without, with_one, strict=True) if one.version != two.version]
    assert changed == [Name(types.LISTENER, names.HTTP_LISTENER)]
    assert used_by(ir.Site(host="*.example.com", https=(respond("hello"),))) == frozenset()


def test_the_filters_are_named_once_and_end_with_the_router() -> None:
    assert len({each.NAME for each in TABLE}) == len(TABLE)
    for scheme in ("http", "https"):
        for wildcard in (False, True):
            place = Place(GATEWAY, scheme, wildcard=wildcard)
            standing = [each for each in TABLE if each.applies(place)]
            first = {"http": "isoline.scope_case", "https": "isoline.path_parameters"}[scheme]
            assert first == standing[0].NAME
            assert standing[-1].NAME == "envoy.filters.http.router"
            assert [each.http_filter(place).name for each in standing] == [each.NAME for each in standing]


@pytest.mark.parametrize(
    ("site", "filters"),
    [
        (ir.Site(host="a.example.com", http=(respond("hello"),)), set()),
        (
            ir.Site(
                host="a.example.com",
                http=(respond("hello"),),
                local_limit=ir.LocalLimit(requests=1, interval=1.0),
            ),
            {"isoline.local_limits"},
        ),
        (
            ir.Site(
                host="a.example.com",
                https=(msgspec.structs.replace(respond("hello"), local_limit=ir.LocalLimit(requests=1, interval=1.0)),),
                cors=ir.Cors(origins=(ir.Origin(value="*"),), methods=("GET",)),
            ),
            {"isoline.local_limits", "isoline.cors"},
        ),
    ],
)
def test_a_filter_that_no_site_asks_for_stands_nowhere(site: ir.Site, filters: set[str]) -> None:
    assert used_by(site) == filters
    place = Place(GATEWAY, "http", wildcard=False, used=used_by(site))
    standing = {each.NAME for each in TABLE if each.applies(place)}
    assert standing & {"isoline.local_limits", "isoline.cors", "isoline.cookies"} == filters


def test_what_the_gateway_says_of_upstreams_counts_where_a_cluster_says_nothing() -> None:
    gateway = msgspec.structs.replace(
        GATEWAY,
        upstream_limits=ir.Limits(connections=10, retries=3, connections_per_endpoint=4),
        upstream_requests_per_connection=100,
    )
    message = clusters.cluster(msgspec.structs.replace(cluster("app"), limits=ir.Limits(retries=1)), gateway)
    (limits,) = message.circuit_breakers.thresholds
    assert (limits.max_connections.value, limits.max_retries.value) == (10, 1)
    assert limits.max_requests.value == 65_536
    assert message.circuit_breakers.per_host_thresholds[0].max_connections.value == 4
    options = http_protocol_options_pb2.HttpProtocolOptions()
    (packed,) = message.typed_extension_protocol_options.values()
    assert packed.Unpack(options)
    assert options.common_http_protocol_options.max_requests_per_connection.value == 100
