"""Sites for what traffic policies come to in the IR."""

from collections.abc import Mapping

import msgspec

from golden.xds.parts import APP, matching, route, site, to_app
from isoline.routing import ir
from unit.xds.support import prefix

POLICIES: Mapping[str, ir.Site] = {
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
}
