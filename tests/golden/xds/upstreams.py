"""Sites for what the IR says of upstreams: protocols, trust, health, balance, limits."""

from collections.abc import Mapping

from golden.xds.parts import APP, CA, route, site, to_app
from isoline.routing import ir

UPSTREAMS: Mapping[str, ir.Site] = {
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
}
