"""Sites for what the IR says of routes: matches, rewrites, redirects, shares, headers."""

from collections.abc import Mapping

import msgspec

from golden.xds.parts import APP, KIND, VALUE, headers, matching, path, route, site, to_app
from isoline.routing import ir
from unit.xds.support import cluster, prefix

ROUTES: Mapping[str, ir.Site] = {
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
}
