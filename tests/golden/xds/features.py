"""One site or gateway for each thing that the IR can say."""

from collections.abc import Mapping

import msgspec

from isoline.routing import ir
from isoline.xds.filters.table import used_by
from isoline.xds.own_chains import own_chain
from isoline.xds.render import render_endpoints, render_gateway, render_site
from isoline.xds.resources import Resource
from unit.xds.support import TO_HTTPS, cluster, forward, prefix, respond

GATEWAY = ir.Gateway(
    http=ir.Listener(address="0.0.0.0", port=8080),
    https=ir.Listener(address="0.0.0.0", port=8443),
    public_https_port=8443,
)
TLS = ir.Tls(certificate="default/cert")
APP = cluster("app")


def path(kind: ir.PathKind, value: str) -> ir.Match:
    return ir.Match(path=ir.PathMatch(kind=kind, value=value))


def matching(name: str, match: ir.Match) -> ir.Route:
    return respond(name, match=match, name=name)


def headers(*matches: ir.HeaderMatch) -> ir.Match:
    return ir.Match(path=prefix("/").path, headers=matches)


def route(action: ir.Forward | ir.Redirect | ir.Respond | ir.HttpsRedirect, match: str = "/") -> ir.Route:
    return ir.Route(name=match, match=prefix(match), action=action)


def to_app(**options: object) -> ir.Forward:
    plain = ir.Forward(shares=(ir.Share(cluster=APP.name, weight=1),))
    return ir.Forward(**{**{name: getattr(plain, name) for name in plain.__struct_fields__}, **options})


def site(*routes: ir.Route, clusters: tuple[ir.Cluster, ...] = (APP,)) -> ir.Site:
    return ir.Site(host="app.example.com", http=routes, clusters=clusters)


VALUE, KIND = ir.HeaderMatch, ir.ValueKind

CA = b"""-----BEGIN CERTIFICATE-----
MIIBSDCB76ADAgECAhRt4ABAqwkSr/zHH0g+X4PiJsvW5zAKBggqhkjOPQQDAjAV
MRMwEQYDVQQDDApkZWZhdWx0L2NhMB4XDTI2MTEyMTE2MjIyNFoXDTI2MTIyMjE2
MjIyNFowFTETMBEGA1UEAwwKZGVmYXVsdC9jYTBZMBMGByqGSM49AgEGCCqGSM49
AwEHA0IABDfuHo6PXk/pUV38hy+1MUJhDEFMuDpDNq2w+aSRgay6WFVnvftAT/aP
MRoIXCCA6bj35KPuS2pdwSuFpaAipMOjHTAbMBkGA1UdEQQSMBCCDmNhLmV4YW1w
bGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIQCH9wh1CBQF9uniTSFko+Q6x0GVqqlG
4c4iQgRG3rEOUQIgRUQAB8hfPjEmZhV+zpvZL1oDukfTFJqmuA8CtJbVw+Q=
-----END CERTIFICATE-----
"""

JWKS_CLUSTER = ir.Cluster(
    name="jwks/login.example.com/443/x",
    endpoints="",
    dns=ir.Dns(hostname="login.example.com", port=443, family=ir.DnsFamily.V4),
    protocol=ir.Upstream.TLS,
    sni="login.example.com",
)

SITES: Mapping[str, ir.Site] = {
    "paths": site(
        matching("prefix", path(ir.PathKind.PREFIX, "/prefix")),
        matching("segments", path(ir.PathKind.SEGMENTS, "/segments")),
        matching("segments-with-slash", path(ir.PathKind.SEGMENTS, "/slash/")),
        matching("exact", path(ir.PathKind.EXACT, "/exact")),
        matching("regex", path(ir.PathKind.REGEX, "/v[0-9]+/.*")),
        matching("all-segments", path(ir.PathKind.SEGMENTS, "/")),
        clusters=(),
    ),
    "headers": site(
        matching("present", headers(VALUE(name="x-a", kind=KIND.PRESENT))),
        matching("not-present", headers(VALUE(name="x-a", kind=KIND.PRESENT, invert=True))),
        matching("exact", headers(VALUE(name="x-a", kind=KIND.EXACT, value="b", ignore_case=True))),
        matching(
            "not-exact", headers(VALUE(name="x-a", kind=KIND.EXACT, value="b", invert=True, missing_as_empty=True))
        ),
        matching("contains", headers(VALUE(name="x-a", kind=KIND.CONTAINS, value="b"))),
        matching(
            "prefix-and-suffix",
            headers(VALUE(name="x-a", kind=KIND.PREFIX, value="b"), VALUE(name="x-c", kind=KIND.SUFFIX, value="d")),
        ),
        matching("regex", headers(VALUE(name="x-a", kind=KIND.REGEX, value="b+", ignore_case=True))),
        clusters=(),
    ),
    "queries": site(
        *(
            matching(
                kind.value,
                ir.Match(
                    path=prefix("/").path, query=(ir.QueryMatch(name="q", kind=kind, value="v", ignore_case=ignore),)
                ),
            )
            for kind, ignore in (
                (KIND.PRESENT, False),
                (KIND.EXACT, True),
                (KIND.CONTAINS, False),
                (KIND.PREFIX, False),
                (KIND.SUFFIX, False),
                (KIND.REGEX, False),
            )
        ),
        clusters=(),
    ),
    "timeouts": site(
        route(to_app(), "/default"),
        route(to_app(timeout=ir.NEVER, idle_timeout=3600.0), "/never"),
        route(to_app(timeout=1.5, idle_timeout=ir.NEVER), "/short"),
    ),
    "retries": site(
        route(
            to_app(
                retry=ir.Retry(
                    on=("5xx", "retriable-status-codes"),
                    count=3,
                    per_try_timeout=0.25,
                    status_codes=(429, 503),
                    backoff=ir.Backoff(base=0.1, maximum=1.0),
                )
            )
        ),
    ),
    "hashing": site(
        route(
            to_app(
                hash_by=(
                    ir.HashBy(source="header", name="x-user", terminal=True),
                    ir.HashBy(source="query", name="user"),
                    ir.HashBy(source="address"),
                    ir.HashBy(source="cookie", name="affinity", cookie_ttl=0.0, cookie_path="/"),
                )
            )
        ),
        clusters=(ir.Cluster(name=APP.name, endpoints=APP.endpoints, balance=ir.Balance.RING_HASH),),
    ),
    "rewrites": site(
        route(to_app(prefix_rewrite="/new", host_rewrite="upstream.example.com"), "/old"),
        route(
            to_app(
                regex_rewrite=ir.RegexRewrite(pattern="^/(.*)$", substitution=r"/x/\1"), host_rewrite_header="x-host"
            )
        ),
    ),
    "shares": site(
        route(
            ir.Forward(
                shares=(
                    ir.Share(cluster=APP.name, weight=90),
                    ir.Share(
                        cluster=cluster("canary").name,
                        weight=10,
                        host_rewrite="canary.example.com",
                        request_headers=ir.HeaderEdits(
                            set=(ir.Header(name="x-canary", value="100%%"),), remove=("x-old",)
                        ),
                        response_headers=ir.HeaderEdits(
                            set=(ir.Header(name="x-from", value="%UPSTREAM_HOST%"),), remove=("server",)
                        ),
                    ),
                    ir.Share(cluster=cluster("none").name, weight=0),
                )
            )
        ),
        clusters=(APP, cluster("canary"), cluster("none")),
    ),
    "header-edits": site(
        ir.Route(
            name="all",
            match=prefix("/"),
            action=to_app(websocket=True),
            request_headers=ir.HeaderEdits(
                set=(ir.Header(name="x-client", value="%DOWNSTREAM_REMOTE_ADDRESS%"),), remove=("cookie",)
            ),
            response_headers=ir.HeaderEdits(
                set=(ir.Header(name="x-frame-options", value="DENY"),), remove=("x-powered-by",)
            ),
        )
    ),
    "mirror": site(
        route(to_app(mirror=ir.Mirror(cluster=cluster("copy").name, percent=25))),
        clusters=(APP, cluster("copy")),
    ),
    "redirects": site(
        route(ir.Redirect(scheme="https", hostname="other.example.com", port=8443, status=308, path="/moved"), "/path"),
        route(ir.Redirect(prefix="/new"), "/prefix"),
        route(ir.HttpsRedirect(), "/https"),
        route(ir.Respond(status=503, body="x" * 5000)),
        clusters=(),
    ),
    "only-redirect": ir.Site(
        host="app.example.com", http=(TO_HTTPS,), https=(forward(APP.name),), tls=TLS, clusters=(APP,)
    ),
    "only-tls": ir.Site(host="app.example.com", tls=TLS),
    "wildcard": ir.Site(
        host="*.example.com", http=(respond("plain"),), https=(respond("secure"),), tls=TLS, own_chain=True
    ),
    "client-certificates": ir.Site(
        host="app.example.com",
        https=(respond("secure"),),
        tls=ir.Tls(
            certificate="default/cert",
            minimum=ir.TlsVersion.V1_3,
            clients=ir.ClientCertificates(
                authorities=CA,
                optional=True,
                forward=ir.ForwardedCertificate(subject=True, certificate=True, chain=True, dns=True, uri=True),
            ),
        ),
        own_chain=True,
    ),
    "tunnel": ir.Site(
        host="bytes.example.com",
        http=(TO_HTTPS,),
        tunnel=ir.Tunnel(shares=(ir.Share(cluster="bytes", weight=90), ir.Share(cluster="inside-tls", weight=10))),
        own_chain=True,
        clusters=(
            ir.Cluster(name="bytes", endpoints=APP.endpoints, protocol=ir.Upstream.TCP),
            ir.Cluster(name="inside-tls", endpoints=APP.endpoints, protocol=ir.Upstream.TCP_TLS),
        ),
    ),
    "fallback": ir.Site(
        host="*.fallback.example.com",
        https=(respond("secure"),),
        tls=TLS,
        own_chain=True,
        fallback="default/fallback",
    ),
    "upstream-protocols": site(
        route(to_app()),
        clusters=tuple(
            ir.Cluster(
                name=f"default/app/http/{protocol.value}",
                endpoints=APP.endpoints,
                protocol=protocol,
                sni=sni,
                idle_timeout=60.0,
                connect_timeout=0.5,
            )
            for protocol, sni in (
                (ir.Upstream.HTTP1, ""),
                (ir.Upstream.H2C, ""),
                (ir.Upstream.H2, "a.example.com"),
                (ir.Upstream.TLS, ""),
            )
        ),
    ),
    "upstream-trust": site(
        route(to_app()),
        clusters=(
            ir.Cluster(
                name="trusted",
                endpoints=APP.endpoints,
                protocol=ir.Upstream.H2,
                sni="a.example.com",
                trust=ir.Trust(authorities=CA, names=("a.example.com", "b.example.com")),
                health_check=ir.HealthCheck(
                    path="/", host="a", interval=10.0, timeout=2.0, unhealthy_threshold=3, healthy_threshold=2
                ),
            ),
        ),
    ),
    "slow-start": site(
        route(to_app()),
        clusters=tuple(
            ir.Cluster(
                name=balance.value,
                endpoints=APP.endpoints,
                balance=balance,
                slow_start=ir.SlowStart(window=10.0, aggression=1.5, minimum_percent=20),
            )
            for balance in (ir.Balance.ROUND_ROBIN, ir.Balance.LEAST_REQUEST)
        ),
    ),
    "balance-and-limits": site(
        route(to_app()),
        clusters=(
            APP,
            ir.Cluster(name="random", endpoints=APP.endpoints, balance=ir.Balance.RANDOM),
            ir.Cluster(
                name="least",
                endpoints=APP.endpoints,
                balance=ir.Balance.LEAST_REQUEST,
                limits=ir.Limits(connections=1, pending_requests=2, requests=3, retries=4, connections_per_endpoint=5),
            ),
        ),
    ),
    "external-name": site(
        route(to_app()),
        clusters=(
            ir.Cluster(
                name="default/app/http/a",
                endpoints="",
                dns=ir.Dns(hostname="api.example.org", port=443, health_port=81),
                protocol=ir.Upstream.TLS,
                sni="api.example.org",
                health_check=ir.HealthCheck(
                    path="/", host="h", interval=10, timeout=2, unhealthy_threshold=3, healthy_threshold=2
                ),
            ),
        ),
    ),
    "health-checks": site(
        route(to_app()),
        clusters=(
            ir.Cluster(
                name="http",
                endpoints=APP.endpoints,
                health_check=ir.HealthCheck(
                    path="/healthz",
                    host="health",
                    interval=10.0,
                    timeout=2.0,
                    unhealthy_threshold=3,
                    healthy_threshold=2,
                    expected_statuses=((200, 300), (401, 402)),
                ),
            ),
            ir.Cluster(
                name="tcp",
                endpoints=APP.endpoints,
                health_check=ir.HealthCheck(
                    path=None, host="", interval=10.0, timeout=2.0, unhealthy_threshold=3, healthy_threshold=2
                ),
            ),
        ),
    ),
    "traffic": msgspec.structs.replace(
        site(
            msgspec.structs.replace(
                matching("own", prefix("/own")),
                traffic=ir.Traffic(
                    request_headers=ir.HeaderLimits(size=8192, count=50),
                    error_pages=(
                        ir.ErrorPage(statuses=((404, 404), (500, 503)), body="sorry", content_type="text/plain"),
                        ir.ErrorPage(statuses=((504, 504),), status=503, body="{}", content_type="application/json"),
                    ),
                    request_id="x-request-id",
                    access_log=ir.LogChoice(name="short", percent=5),
                ),
            ),
            msgspec.structs.replace(matching("nothing", prefix("/nothing")), traffic=ir.Traffic()),
            msgspec.structs.replace(
                matching("limits", prefix("/limits")),
                traffic=ir.Traffic(
                    rate_limits=(
                        ir.RateLimit(requests=5, interval=1.0, burst=2, by="all"),
                        ir.RateLimit(requests=5, interval=60.0, burst=0, by="address"),
                        ir.RateLimit(requests=5, interval=3600.0, burst=0, by="header", header="x-key"),
                    ),
                    error_pages=(
                        ir.ErrorPage(statuses=((500, 502),), cluster=APP.name, host="app.default", path="/sorry"),
                        ir.ErrorPage(statuses=((502, 503),), status=500, cluster=APP.name, host="app", path="/"),
                    ),
                ),
            ),
            clusters=(),
        ),
        traffic=ir.Traffic(
            request_body=100_000_000_000,
            session_cookie=ir.SessionCookie(
                name="session", path="/app", ttl=3600.0, same_site="Strict", secure=True, strict=True
            ),
        ),
    ),
    "traffic-access": msgspec.structs.replace(
        site(
            msgspec.structs.replace(
                matching("login", prefix("/login")),
                traffic=ir.Traffic(
                    oidc=ir.Login(
                        authorization_endpoint="https://login.example.com/authorize",
                        token_endpoint="https://login.example.com/token",
                        end_session_endpoint="https://login.example.com/end",
                        cluster="login/login.example.com/443/a",
                        client_id="studio",
                        client_secret=ir.PrivateBytes(b"not a secret"),
                        cookie_key=ir.PrivateBytes(b"not a key"),
                        scopes=("openid", "email"),
                        redirect_path="/oauth2/callback",
                        sign_out_path="/oauth2/sign-out",
                    ),
                ),
            ),
            clusters=(
                ir.Cluster(
                    name="login/login.example.com/443/a",
                    endpoints="",
                    dns=ir.Dns(hostname="login.example.com", port=443),
                    protocol=ir.Upstream.TLS,
                    sni="login.example.com",
                    trust=ir.Trust(authorities=CA, names=("login.example.com", "192.0.2.1")),
                ),
            ),
        ),
        traffic=ir.Traffic(
            api_keys=ir.ApiKeys(
                clients=(("ann", ir.PrivateBytes(b"key of ann")),), header="x-key", query="key", client_header="x-name"
            ),
            basic_auth=ir.BasicAuth(
                users=ir.PrivateBytes(b"ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"), user_header="x-user"
            ),
            jwt_claims=ir.Claims(
                headers=((("realm", "roles"), "x-roles"),),
                allow=((ir.ClaimMatch(claim=("plan",), values=("pro", "team")),),),
            ),
        ),
    ),
    "traffic-load": msgspec.structs.replace(
        site(
            route(to_app()),
            clusters=(
                ir.Cluster(
                    name="tls",
                    endpoints=APP.endpoints,
                    protocol=ir.Upstream.TLS,
                    limits=ir.Limits(requests_per_endpoint=2),
                    client_certificate="default/us",
                ),
                ir.Cluster(
                    name="h2",
                    endpoints=APP.endpoints,
                    protocol=ir.Upstream.H2C,
                    limits=ir.Limits(requests_per_endpoint=2),
                ),
            ),
        ),
        traffic=ir.Traffic(
            compression=ir.Compression(encodings=("brotli", "gzip"), content_types=("text/html",), minimum=1024),
            bandwidth=ir.Bandwidth(requests=1024, responses=2048),
            adaptive_concurrency=ir.AdaptiveConcurrency(
                maximum=100, minimum=3, percentile=50, update_interval=0.1, measure_interval=60.0, samples=50
            ),
        ),
    ),
    "outlier-detection": site(
        route(
            to_app(
                retry=ir.Retry(on=("5xx",), count=1, per_try_timeout=1.0, avoid_same_host=False, hedge=True),
            )
        ),
        clusters=(
            ir.Cluster(
                name=APP.name,
                endpoints=APP.endpoints,
                outliers=ir.OutlierDetection(
                    consecutive_errors=5,
                    consecutive_gateway_errors=3,
                    interval=10.0,
                    base_ejection_time=30.0,
                    max_ejection_time=300.0,
                    max_ejection_percent=50,
                ),
            ),
        ),
    ),
    "tokens": msgspec.structs.replace(
        site(
            msgspec.structs.replace(matching("open", prefix("/open")), token=""),
            msgspec.structs.replace(matching("other", prefix("/other")), token="remote"),
            route(ir.HttpsRedirect(), "/https"),
            matching("all", prefix("/")),
            clusters=(JWKS_CLUSTER,),
        ),
        tokens=ir.Tokens(
            providers=(
                ir.TokenProvider(
                    name="local",
                    keys=ir.LocalKeys(jwks=ir.PrivateBytes(b'{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldA"}]}')),
                    issuer="issuer",
                    audiences=("a", "b"),
                    forward=True,
                ),
                ir.TokenProvider(
                    name="remote",
                    keys=ir.RemoteKeys(
                        uri="https://login.example.com/keys",
                        cluster=JWKS_CLUSTER.name,
                        timeout=1.0,
                        cache_duration=300.0,
                    ),
                ),
                ir.TokenProvider(name="unused", keys=ir.LocalKeys(jwks=ir.PrivateBytes(b""))),
            ),
            default="local",
        ),
    ),
    "authorization-by-grpc": msgspec.structs.replace(
        site(
            msgspec.structs.replace(
                matching("open", prefix("/open")), authorization=ir.RouteAuthorization(asked=False)
            ),
            msgspec.structs.replace(
                matching("own", prefix("/own")), authorization=ir.RouteAuthorization(asked=True, context=(("a", "2"),))
            ),
            route(ir.HttpsRedirect(), "/https"),
            matching("all", prefix("/")),
        ),
        authorization=ir.Authorization(
            cluster=APP.name,
            grpc=True,
            authority="auth.example.com",
            timeout=0.2,
            fail_open=True,
            body=ir.RequestBody(maximum=1024, allow_partial=True, as_bytes=True),
            context=(("a", "1"), ("b", "2")),
        ),
    ),
    "authorization-by-http": msgspec.structs.replace(
        site(
            msgspec.structs.replace(
                matching("open", prefix("/open")), authorization=ir.RouteAuthorization(asked=False)
            ),
            matching("all", prefix("/")),
        ),
        authorization=ir.Authorization(
            cluster=APP.name,
            grpc=False,
            authority="",
            timeout=ir.NEVER,
            body=ir.RequestBody(maximum=10),
            path_prefix="/check",
            request_headers=(ir.NameMatch(exact="x-a", ignore_case=True), ir.NameMatch(prefix="x-")),
            upstream_headers=(ir.NameMatch(suffix="-user"), ir.NameMatch(contains="mail")),
        ),
    ),
    "addresses": msgspec.structs.replace(
        site(
            msgspec.structs.replace(
                matching("deny", prefix("/")),
                addresses=ir.AddressFilter(
                    allow=False,
                    ranges=(
                        ir.AddressRange(address="10.0.0.0", prefix_length=8, forwarded=True),
                        ir.AddressRange(address="2001:db8::1", prefix_length=128, forwarded=False),
                    ),
                ),
            ),
            clusters=(),
        ),
        addresses=ir.AddressFilter(
            allow=True, ranges=(ir.AddressRange(address="192.0.2.1", prefix_length=32, forwarded=False),)
        ),
    ),
    "follow-redirects": site(
        route(to_app(follow_redirects=ir.FollowRedirects(schemes="safe", same_route_once=True)), "/follow"),
        route(to_app(follow_redirects=ir.FollowRedirects(most=3, status_codes=(301, 302), schemes="any")), "/any"),
        route(to_app()),
    ),
    "cookies": site(
        msgspec.structs.replace(
            route(
                ir.Forward(
                    shares=(
                        ir.Share(cluster=APP.name, weight=1, cookies=(ir.CookieRewrite(name="own", same_site="None"),)),
                    )
                )
            ),
            cookies=(
                ir.CookieRewrite(name="a", path="/", domain="example.com", secure=True, same_site="Lax"),
                ir.CookieRewrite(name="b", secure=False),
            ),
        ),
    ),
    "rate-limits": msgspec.structs.replace(
        site(
            msgspec.structs.replace(
                route(to_app(), "/own"),
                local_limit=ir.LocalLimit(
                    requests=5,
                    interval=60.0,
                    burst=3,
                    status=503,
                    response_headers=(ir.Header(name="x-wait", value="a minute"),),
                ),
                global_limit=ir.GlobalLimit(
                    descriptors=(
                        (
                            ir.LimitKey(source="constant", key="generic_key", value="a"),
                            ir.LimitKey(source="address"),
                        ),
                        (
                            ir.LimitKey(source="header", key="user", header="x-user"),
                            ir.LimitKey(
                                source="header_match",
                                value="staff",
                                matches=(VALUE(name="x-staff", kind=KIND.PRESENT),),
                                expect_match=False,
                            ),
                        ),
                    )
                ),
            ),
            msgspec.structs.replace(route(to_app(), "/free"), global_limit=ir.GlobalLimit(descriptors=())),
        ),
        local_limit=ir.LocalLimit(requests=1, interval=1.0),
        global_limit=ir.GlobalLimit(descriptors=((ir.LimitKey(source="address"),),)),
    ),
    "cors": msgspec.structs.replace(
        site(route(to_app())),
        cors=ir.Cors(
            origins=(ir.Origin(value="https://example.com"), ir.Origin(value=".*[.]example[.]org", regex=True)),
            methods=("GET", "PUT"),
            request_headers=("x-a", "x-b"),
            exposed_headers=("x-c",),
            max_age=600,
            credentials=True,
        ),
    ),
}

GATEWAYS: Mapping[str, ir.Gateway] = {
    "gateway": GATEWAY,
    "gateway-by-hand": ir.Gateway(
        http=ir.Listener(address="127.0.0.1", port=80),
        https=None,
        tls_minimum=ir.TlsVersion.V1_3,
        trusted_hops=2,
        request_timeout=ir.NEVER,
        max_connections=1000,
        headers_with_underscores="drop",
        escaped_slashes="keep",
        merge_slashes=False,
        access_log=ir.AccessLog(path="/dev/stdout"),
        rate_limits=ir.RateLimitService(cluster="limits", domain="isoline", timeout=0.5, fail_open=True),
    ),
    "gateway-that-traces": ir.Gateway(
        http=ir.Listener(address="127.0.0.1", port=80, more_addresses=("::1",), proxy_protocol=True),
        https=None,
        connection_lifetime=3600.0,
        delayed_close_timeout=2.0,
        max_requests_per_connection=100,
        server_header="add",
        tracing=ir.Tracing(
            collector=ir.Dns(hostname="collector.example.com", port=4317),
            service_name="front",
            percent=12.5,
            max_path_length=64,
            tags=(ir.TraceTag(name="tier", literal="edge"), ir.TraceTag(name="class", header="x-class")),
        ),
    ),
    "gateway-of-chains": ir.Gateway(
        http=None,
        https=ir.Listener(address="0.0.0.0", port=8443),
        tls_maximum=ir.TlsVersion.V1_2,
        tls_ciphers=("ECDHE-ECDSA-AES256-GCM-SHA384",),
        tls_curves=("X25519", "P-256"),
        http_versions=("1.1",),
    ),
    "gateway-of-https-only": ir.Gateway(
        http=None,
        https=ir.Listener(address="::", port=443),
        headers_with_underscores="allow",
        escaped_slashes="forward",
        access_log=ir.AccessLog(path="access.log", json=False),
        named_logs=(
            ir.NamedLog(name="short", log=ir.AccessLog(path="/dev/stdout", json=False, fields=("method", "path"))),
            ir.NamedLog(
                name="collected",
                log=None,
                collector=ir.Dns(hostname="::1", port=4317),
                fields=("status", "duration_ms"),
            ),
        ),
    ),
}

ENDPOINTS = ir.Endpoints(
    name=APP.endpoints,
    endpoints=(
        ir.Endpoint(address="10.0.0.1", port=80),
        ir.Endpoint(address="10.0.0.2", port=80, weight=3, hostname="two", health_port=8081),
        ir.Endpoint(address="10.0.0.3", port=80, ready=False),
        ir.Endpoint(address="10.0.0.4", port=80, ready=False, draining=True),
    ),
)


def _gateway(name: str) -> list[Resource]:
    every = name == "gateway-of-chains"
    sites = SITES.values() if every else [SITES["wildcard"]]
    known = ("*.fallback.example.com", "other.example.com")
    return render_gateway(
        GATEWAYS[name],
        {site.host: own_chain(chain) for site in sites if (chain := site.chain) is not None},
        fallback=ir.Fallback(certificate="default/fallback", known=known) if every else None,
        used=frozenset[str]().union(*map(used_by, SITES.values())) if name == "gateway" else frozenset(),
    )


def rendered() -> dict[str, list[Resource]]:
    """Every feature's resources."""
    return {
        **{name: render_site(each, GATEWAY) for name, each in SITES.items()},
        **{name: _gateway(name) for name in GATEWAYS},
        "endpoints": [render_endpoints(ENDPOINTS)],
    }
