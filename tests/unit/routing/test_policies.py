"""Timeouts, retries, health checks, balancing, redirects, direct responses: field by field."""

import pytest

from isoline.routing import ir
from isoline.routing.ir import NEVER, Balance
from unit.routing.support import compiled, errors, root, service, site, status_of


def forwarded(policy: str) -> tuple[ir.Forward, ir.Cluster]:
    served = site(root(f"routes: [{{services: [{{name: app, port: 80}}], {policy}}}]"), service())
    action = served.http[0].action
    assert isinstance(action, ir.Forward)
    return action, served.clusters[0]


def refused(route: str) -> tuple[str, str, str]:
    """The type, reason and field of the one error that takes the route out."""
    item = root(f"routes: [{route}]")
    result = compiled(item, service())
    assert result.site is None
    (error,) = result.statuses[item.key].errors
    return error.type, error.reason, error.message.partition(": ")[0].removeprefix("spec.routes[0].")


def warned(policy: str) -> str:
    """The field of the one warning about a route that is served."""
    status = status_of(root(f"routes: [{{services: [{{name: app, port: 80}}], {policy}}}]"), service())
    assert status.current_status == "valid"
    (warning,) = status.warnings
    assert warning.reason == "IgnoredField"
    return warning.message.partition(": ")[0].removeprefix("spec.routes[0].")


# --- timeouts


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("''", None),
        ("0s", None),
        ("'0'", None),
        ("infinity", NEVER),
        ("infinite", NEVER),
        ("1.5s", 1.5),
        ("1h30m", 5400.0),
        ("250ms", 0.25),
    ],
)
def test_timeouts(written: str, seconds: float | None) -> None:
    action, cluster = forwarded(f"timeoutPolicy: {{response: {written}, idle: {written}, idleConnection: {written}}}")
    assert (action.timeout, action.idle_timeout, cluster.idle_timeout) == (seconds, seconds, seconds)


@pytest.mark.parametrize("written", ["s", ".ms", "5", "-1s", "soon", "9999999h", "9223372036s"])
@pytest.mark.parametrize("field", ["response", "idle", "idleConnection"])
def test_bad_timeouts(field: str, written: str) -> None:
    told = refused(f"{{services: [{{name: app, port: 80}}], timeoutPolicy: {{{field}: '{written}'}}}}")
    assert told == ("RouteError", "TimeoutPolicyNotValid", f"timeoutPolicy.{field}")


# --- retries


@pytest.mark.parametrize(
    ("policy", "retry"),
    [
        ("{}", ir.Retry(on=("5xx",), count=1)),
        ("{count: 0}", ir.Retry(on=("5xx",), count=1)),
        ("{count: -1}", None),
        ("{count: 3, perTryTimeout: 150ms}", ir.Retry(on=("5xx",), count=3, per_try_timeout=0.15)),
        ("{perTryTimeout: infinity}", ir.Retry(on=("5xx",), count=1)),
        (
            "{retryOn: [reset, retriable-status-codes], retriableStatusCodes: [503, 429]}",
            ir.Retry(on=("reset", "retriable-status-codes"), count=1, status_codes=(503, 429)),
        ),
    ],
)
def test_retries(policy: str, retry: ir.Retry | None) -> None:
    assert forwarded(f"retryPolicy: {policy}")[0].retry == retry


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ("{retryOn: [weather]}", "retryOn[0]"),
        ("{retriableStatusCodes: [503, 42]}", "retriableStatusCodes[1]"),
        ("{count: 5000000000}", "count"),
    ],
)
def test_bad_retries(policy: str, field: str) -> None:
    told = refused(f"{{services: [{{name: app, port: 80}}], retryPolicy: {policy}}}")
    assert told == ("RouteError", "RetryPolicyNotValid", f"retryPolicy.{field}")


def test_a_bad_timeout_of_one_try_is_left_out() -> None:
    assert warned("retryPolicy: {perTryTimeout: soon}") == "retryPolicy.perTryTimeout"


# --- health checks


def test_health_check_defaults() -> None:
    check = forwarded("healthCheckPolicy: {path: /healthz}")[1].health_check
    assert check == ir.HealthCheck(
        path="/healthz",
        host="contour-envoy-healthcheck",
        interval=10,
        timeout=2,
        unhealthy_threshold=3,
        healthy_threshold=2,
    )


def test_health_check_in_full() -> None:
    policy = (
        "{path: /h, host: inner, intervalSeconds: 5, timeoutSeconds: 1, unhealthyThresholdCount: 4, "
        "healthyThresholdCount: 6, expectedStatuses: [{start: 200, end: 202}, {start: 300, end: 301}]}"
    )
    check = forwarded(f"healthCheckPolicy: {policy}")[1].health_check
    assert check == ir.HealthCheck(
        path="/h",
        host="inner",
        interval=5,
        timeout=1,
        unhealthy_threshold=4,
        healthy_threshold=6,
        expected_statuses=((200, 202), (300, 301)),
    )


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ("{}", "path"),
        ('{path: "/\\n"}', "path"),
        ('{path: /, host: "a\\r"}', "host"),
        ("{path: /, intervalSeconds: -1}", "intervalSeconds"),
        ("{path: /, timeoutSeconds: 9223372036}", "timeoutSeconds"),
        ("{path: /, healthyThresholdCount: 5000000000}", "healthyThresholdCount"),
        ("{path: /, expectedStatuses: [{start: 99, end: 200}]}", "expectedStatuses[0]"),
        ("{path: /, expectedStatuses: [{start: 200, end: 601}]}", "expectedStatuses[0]"),
    ],
)
def test_bad_health_checks(policy: str, field: str) -> None:
    told = refused(f"{{services: [{{name: app, port: 80}}], healthCheckPolicy: {policy}}}")
    assert told == ("RouteError", "HealthCheckPolicyInvalid", f"healthCheckPolicy.{field}")


def test_a_range_the_wrong_way_round_is_told() -> None:
    policy = "healthCheckPolicy: {path: /, expectedStatuses: [{start: 300, end: 200}]}"
    assert warned(policy) == "healthCheckPolicy.expectedStatuses[0]"


# --- balancing


@pytest.mark.parametrize(
    ("policy", "balance", "hash_by"),
    [
        ("{}", Balance.ROUND_ROBIN, ()),
        ("{strategy: RoundRobin}", Balance.ROUND_ROBIN, ()),
        ("{strategy: Random}", Balance.RANDOM, ()),
        ("{strategy: WeightedLeastRequest}", Balance.LEAST_REQUEST, ()),
        (
            "{strategy: Cookie}",
            Balance.RING_HASH,
            (ir.HashBy(source="cookie", name="X-Contour-Session-Affinity", cookie_ttl=0.0, cookie_path="/"),),
        ),
        (
            "{strategy: RequestHash, requestHashPolicies: [{headerHashOptions: {headerName: X-U}, terminal: true}, \
             {queryParameterHashOptions: {parameterName: u}}, {hashSourceIP: true}]}",
            Balance.RING_HASH,
            (
                ir.HashBy(source="header", name="X-U", terminal=True),
                ir.HashBy(source="query", name="u"),
                ir.HashBy(source="address"),
            ),
        ),
    ],
)
def test_balancing(policy: str, balance: Balance, hash_by: tuple[ir.HashBy, ...]) -> None:
    action, cluster = forwarded(f"loadBalancerPolicy: {policy}")
    assert (cluster.balance, action.hash_by) == (balance, hash_by)


GOOD = "{hashSourceIP: true}"


@pytest.mark.parametrize(
    "entry",
    [
        "{terminal: true}",
        "{hashSourceIP: true, headerHashOptions: {headerName: a}}",
        "{headerHashOptions: {headerName: 'a b'}}",
        "{queryParameterHashOptions: {parameterName: ''}}",
        GOOD,
    ],
)
def test_hash_entries_without_a_use_are_told_and_left_out(entry: str) -> None:
    policy = f"loadBalancerPolicy: {{strategy: RequestHash, requestHashPolicies: [{GOOD}, {entry}]}}"
    assert warned(policy).startswith("loadBalancerPolicy.requestHashPolicies[1]")


@pytest.mark.parametrize("policy", ["{strategy: Psychic}", "{strategy: RequestHash}"])
def test_round_robin_is_what_remains(policy: str) -> None:
    item = root(f"routes: [{{services: [{{name: app, port: 80}}], loadBalancerPolicy: {policy}}}]")
    result = compiled(item, service())
    assert result.site is not None
    assert result.site.clusters[0].balance is Balance.ROUND_ROBIN
    assert warned(f"loadBalancerPolicy: {policy}").startswith("loadBalancerPolicy")


# --- redirects and direct responses


@pytest.mark.parametrize(
    ("policy", "redirect"),
    [
        ("{}", ir.Redirect()),
        (
            "{scheme: https, hostname: new.example.com, port: 8443, statusCode: 308, path: /new}",
            ir.Redirect(scheme="https", hostname="new.example.com", port=8443, status=308, path="/new"),
        ),
        ("{prefix: /new}", ir.Redirect(prefix="/new")),
    ],
)
def test_redirects(policy: str, redirect: ir.Redirect) -> None:
    assert site(root(f"routes: [{{requestRedirectPolicy: {policy}}}]")).http[0].action == redirect


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ("{path: /a, prefix: /b}", ""),
        ("{scheme: ftp}", ".scheme"),
        ("{hostname: 'a_b'}", ".hostname"),
        ("{hostname: '*.example.com'}", ".hostname"),
        ("{port: 65536}", ".port"),
        ("{statusCode: 304}", ".statusCode"),
        ("{path: new}", ".path"),
        ('{prefix: "/a\\n"}', ".prefix"),
    ],
)
def test_bad_redirects(policy: str, field: str) -> None:
    told = refused(f"{{requestRedirectPolicy: {policy}}}")
    assert told == ("RouteError", "RequestRedirectPolicy", f"requestRedirectPolicy{field}")


def test_direct_responses() -> None:
    item = root("routes: [{directResponsePolicy: {statusCode: 404, body: gone}}]")
    assert site(item).http[0].action == ir.Respond(status=404, body="gone")


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ("{statusCode: 199}", "statusCode"),
        ("{statusCode: 600}", "statusCode"),
        (f"{{statusCode: 200, body: {'é' * 2049}}}", "body"),
    ],
)
def test_bad_direct_responses(policy: str, field: str) -> None:
    told = refused(f"{{directResponsePolicy: {policy}}}")
    assert told == ("RouteError", "DirectResponsePolicyNotValid", f"directResponsePolicy.{field}")


@pytest.mark.parametrize(
    "actions",
    [
        "",
        "services: []",
        "services: [{name: app, port: 80}], directResponsePolicy: {statusCode: 200}",
        "requestRedirectPolicy: {}, directResponsePolicy: {statusCode: 200}",
    ],
)
def test_a_route_does_exactly_one_thing(actions: str) -> None:
    item = root(f"routes: [{{{actions}}}]")
    assert errors(status_of(item, service())) == [("RouteError", "RouteActionCountNotValid")]


def test_websockets_only_where_asked() -> None:
    assert forwarded("enableWebsockets: true")[0].websocket
    assert not forwarded("enableWebsockets: false")[0].websocket
