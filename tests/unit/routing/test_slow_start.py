"""services[].slowStartPolicy: endpoints that have just come get less at first."""

import pytest

from isoline.routing import ir
from unit.routing.support import errors, root, service, site, status_of


def spec(policy: str, strategy: str = "RoundRobin") -> str:
    balance = f"loadBalancerPolicy: {{strategy: {strategy}}}"
    return f"routes: [{{services: [{{name: app, port: 80, slowStartPolicy: {{{policy}}}}}], {balance}}}]"


@pytest.mark.parametrize("strategy", ["RoundRobin", "WeightedLeastRequest"])
@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        ("window: 10s", ir.SlowStart(window=10.0, aggression=1.0, minimum_percent=10)),
        (
            "window: 1m, aggression: '.5', minWeightPercent: 0",
            ir.SlowStart(window=60.0, aggression=0.5, minimum_percent=0),
        ),
        ("window: 0s", None),
    ],
)
def test_what_a_policy_means(strategy: str, policy: str, wanted: ir.SlowStart | None) -> None:
    (cluster,) = site(root(spec(policy, strategy)), service()).clusters
    assert cluster.slow_start == wanted


@pytest.mark.parametrize("strategy", ["Random", "Cookie"])
def test_other_strategies_cannot(strategy: str) -> None:
    status = status_of(root(spec("window: 10s", strategy)), service())
    assert errors(status) == [("ServiceError", "SlowStartInvalid")]


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ("window: ''", "window"),
        ("window: soon", "window"),
        ("window: '-1s'", "window"),
        ("window: 9999999h", "window"),
        ("window: 1s, aggression: fast", "aggression"),
        ("window: 1s, aggression: '-1'", "aggression"),
        (f"window: 1s, aggression: '{'9' * 400}'", "aggression"),
        ("window: 1s, minWeightPercent: 101", "minWeightPercent"),
        ("window: 1s, minWeightPercent: -1", "minWeightPercent"),
    ],
)
def test_a_policy_that_cannot_be_takes_its_route_out(policy: str, field: str) -> None:
    status = status_of(root(spec(policy)), service())
    assert errors(status) == [("ServiceError", "SlowStartInvalid")]
    assert status.errors[0].message.startswith(f"spec.routes[0].services[0].slowStartPolicy.{field}: ")


def test_an_aggression_of_nothing_is_told_and_the_default_holds() -> None:
    status = status_of(root(spec("window: 1s, aggression: '0.0'")), service())
    assert status.current_status == "valid"
    assert [warning.reason for warning in status.warnings] == ["IgnoredField"]
