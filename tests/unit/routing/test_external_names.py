"""Services of type ExternalName: only where they are allowed, and never to this machine."""

import pytest

from isoline.objects import Ingress, Service, TrafficPolicy
from isoline.objects.core import ServicePort, ServiceSpec
from isoline.routing import ir
from isoline.routing.compiler import Compiled
from isoline.routing.settings import Settings
from unit.routing.support import HOST, compiled, errors, objects, proxy, root, secret, service

ALLOWED = Settings(external_names=True)
MISSING = ("ServiceError", "ServiceUnresolvedReference")


def external(target: str = "api.example.org", **annotations: str) -> Service:
    ports = (ServicePort(name="http", port=443), ServicePort(name="health", port=81))
    spec = ServiceSpec(type="ExternalName", external_name=target, ports=ports)
    return Service(metadata=service("outside", **annotations).metadata, spec=spec)


def served(text: str, target: str = "api.example.org", settings: Settings = ALLOWED) -> Compiled:
    return compiled(root(text), external(target), settings=settings)


ROUTE = "routes: [{services: [{name: outside, port: 443}]}]"


def test_a_name_of_dns_takes_the_place_of_endpoints() -> None:
    result = served(ROUTE, "API.example.org")
    assert result.site is not None
    (cluster,) = result.site.clusters
    assert cluster.dns == ir.Dns(hostname="api.example.org", port=443)
    assert (cluster.endpoints, cluster.sni) == ("", "")
    assert result.endpoints == ()


def test_its_name_is_the_server_name_unless_a_host_is_set() -> None:
    result = served(ROUTE.replace("443", "443, protocol: tls"))
    assert result.site is not None
    assert result.site.clusters[0].sni == "api.example.org"
    host = "requestHeadersPolicy: {set: [{name: Host, value: other.example.org}]}"
    result = served(ROUTE.replace("443", f"443, protocol: h2, {host}"))
    assert result.site is not None
    assert result.site.clusters[0].sni == "other.example.org"


def test_health_is_checked_at_its_own_port() -> None:
    route = "services: [{name: outside, port: 443, healthPort: 81}], healthCheckPolicy: {path: /}"
    result = served(f"routes: [{{{route}}}]")
    assert result.site is not None
    assert result.site.clusters[0].dns == ir.Dns(hostname="api.example.org", port=443, health_port=81)


def test_the_gateway_says_which_addresses_are_looked_up() -> None:
    result = served(ROUTE, settings=Settings(external_names=True, dns_family=ir.DnsFamily.V6))
    assert result.site is not None
    dns = result.site.clusters[0].dns
    assert dns is not None
    assert dns.family is ir.DnsFamily.V6


def test_what_is_not_allowed_answers_503_and_says_so() -> None:
    result = served(ROUTE, settings=Settings())
    assert result.site is not None
    assert result.site.http[0].action == ir.Respond(status=503)
    (status,) = result.statuses.values()
    assert errors(status) == [MISSING]
    assert status.errors[0].words == (
        "Spec.Routes unresolved service reference: default/outside is an ExternalName service, these are not currently "
        "enabled. See the config.enableExternalNameService config file setting"
    )


NEAR = [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost.localdomain",
    "deep.localhost",
    "local.projectcontour.io",
    "127.0.0.1",
    "127.9.9.9.",
    "0.0.0.0",
    "::1",
    "[::1]",
    "::ffff:127.0.0.1",
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
]
NO_NAMES = ["", "api.example.org.", "127.1", "2130706433", "0x7f.1", "a b", "-a.example.org", "a..b", "x" * 64, "[a]"]


@pytest.mark.parametrize("target", NEAR)
def test_it_never_leads_to_this_machine_or_its_link(target: str) -> None:
    result = served(ROUTE, target)
    (status,) = result.statuses.values()
    assert errors(status) == [MISSING]
    assert status.errors[0].words.endswith(
        "default/outside is an ExternalName service that points to localhost, this is not allowed"
    )


@pytest.mark.parametrize("target", NO_NAMES)
def test_it_has_to_be_a_name(target: str) -> None:
    result = served(ROUTE, target)
    (status,) = result.statuses.values()
    assert errors(status) == [MISSING]
    assert f'externalName "{target}"' in status.errors[0].message


@pytest.mark.parametrize("target", ["192.0.2.7", "2001:db8::7", "a_b.example.org", "backend", "1.example.org"])
def test_other_names_and_addresses_will_do(target: str) -> None:
    result = served(ROUTE, target)
    assert result.site is not None
    dns = result.site.clusters[0].dns
    assert dns is not None
    assert dns.hostname == target


def test_a_tunnel_leads_there_too() -> None:
    services = "services: [{name: outside, port: 443, protocol: tls}]"
    item = proxy(f"virtualhost: {{fqdn: {HOST}, tls: {{passthrough: true}}}}\ntcpproxy: {{{services}}}")
    result = compiled(item, external(), settings=ALLOWED)
    assert result.site is not None
    (cluster,) = result.site.clusters
    assert cluster.dns == ir.Dns(hostname="api.example.org", port=443)
    assert cluster.sni == "api.example.org"
    (status,) = compiled(item, external()).statuses.values()
    assert errors(status) == [("TCPProxyError", "ServiceUnresolvedReference")]


INGRESS = f"""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: voice, namespace: default}}
spec:
  rules:
  - host: {HOST}
    http:
      paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: outside, port: {{name: http}}}}}}}}]
"""


def test_an_ingress_leads_there_too() -> None:
    (item,) = objects(INGRESS)
    assert isinstance(item, Ingress)
    result = compiled(item, external(), settings=ALLOWED)
    assert result.site is not None
    assert result.site.clusters[0].dns == ir.Dns(hostname="api.example.org", port=443)
    refused = compiled(item, external())
    assert errors(refused.statuses[item.key]) == [MISSING]
    assert "enableExternalNameService" in refused.statuses[item.key].errors[0].message


PAGES = """
apiVersion: isoline.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: pages, namespace: default}
spec:
  targetRefs: [{kind: HTTPProxy, name: voice}]
  errorPages: [{statuses: ["503"], service: {name: outside, port: 443}}]
"""


def test_a_policys_own_service_may_be_one() -> None:
    (policy,) = objects(PAGES)
    assert isinstance(policy, TrafficPolicy)
    item = root("routes: [{services: [{name: app, port: 80}]}]")
    result = compiled(item, policy, service(), external(), secret(), settings=ALLOWED)
    assert result.site is not None
    assert [cluster.dns for cluster in result.site.clusters if cluster.dns is not None] == [
        ir.Dns(hostname="api.example.org", port=443)
    ]


def test_a_change_of_the_service_changes_the_cluster() -> None:
    names = set()
    for target in ("a.example.org", "b.example.org"):
        result = served(ROUTE, target)
        assert result.site is not None
        names.add(result.site.clusters[0].name)
    assert len(names) == 2
