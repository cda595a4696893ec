"""rateLimitService of the GatewayConfig: who counts requests, and where."""

import pytest

from isoline.objects import GatewayConfig
from isoline.routing import ir
from isoline.routing.gateway import gateway_from_config
from isoline.routing.settings import settings_from_config
from unit.routing.support import compiled, objects, service


def config(service: str) -> GatewayConfig:
    (item,) = objects(
        "apiVersion: isoline.dev/v1alpha1\nkind: GatewayConfig\nmetadata: {name: default}\n"
        f"spec: {{rateLimitService: {service}}}"
    )
    assert isinstance(item, GatewayConfig)
    return item


def gateway(item: GatewayConfig | None, socket: str = "/limits.sock") -> ir.RateLimitService | None:
    return gateway_from_config(item, http_port=1, https_port=2, rate_limit_socket=socket).rate_limits


EXTENSION = "{extensionService: {namespace: infra, name: limits}"


def test_our_own_lets_requests_pass_when_it_is_not_there() -> None:
    assert gateway(config("{}")) == ir.RateLimitService(
        domain="contour", timeout=0.2, fail_open=True, socket="/limits.sock"
    )
    assert gateway(config("{}"), socket="") is None
    assert gateway(None) is None


def test_an_extension_service_with_everything() -> None:
    more = "domain: d, enableXRateLimitHeaders: true, enableResourceExhaustedCode: true, responseTimeout: 1s"
    assert gateway(config(f"{EXTENSION}, {more}}}")) == ir.RateLimitService(
        domain="d", timeout=1.0, fail_open=False, headers=True, resource_exhausted_code=True
    )
    found = gateway(config(f"{EXTENSION}, failOpen: true}}"))
    assert found is not None
    assert found.fail_open


@pytest.mark.parametrize(
    ("service", "one_machine", "wanted"),
    [("{}", True, True), ("{}", False, False), (f"{EXTENSION}}}", True, True), (f"{EXTENSION}}}", False, True)],
)
def test_whether_there_is_one(service: str, *, one_machine: bool, wanted: bool) -> None:
    assert settings_from_config(config(service), one_machine=one_machine).rate_limits is wanted


def test_its_cluster_comes_from_the_extension_service_under_one_name() -> None:
    (extension,) = objects(
        "apiVersion: projectcontour.io/v1alpha1\nkind: ExtensionService\n"
        "metadata: {name: limits, namespace: infra}\nspec: {protocol: h2c, services: [{name: app, port: 80}]}"
    )
    settings = settings_from_config(config(f"{EXTENSION}}}"), one_machine=True)
    result = compiled(extension, service(namespace="infra"), host="!extension infra/limits", settings=settings)
    assert result.site is not None
    (cluster,) = result.site.clusters
    assert (cluster.name, cluster.protocol) == (ir.RATE_LIMITS, ir.Upstream.H2C)
    assert result.endpoints == (cluster.endpoints,)
    assert compiled(extension, service(namespace="infra"), host="!extension infra/limits").site is None
