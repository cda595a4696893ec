"""`isoline describe`: conditions, routes, endpoints as Envoy sees them, certificates, events."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from isoline.cluster.store import Store
from isoline.envoy.admin_messages import ClusterStatus, EndpointStatus
from isoline.objects import HTTPProxy, ObjectMeta, Secret, SecretValue
from isoline.objects.decoding import decode_documents
from isoline.objects.httpproxy import DetailedCondition, HTTPProxySpec, HTTPProxyStatus, SubCondition
from unit.cli.conftest import Isoline, Run

MANIFESTS = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  ports: [{name: http, port: 80}]
  selector: {app: web}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-1
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
ports: [{name: http, port: 9000}]
endpoints:
  - addresses: [10.0.0.1]
  - addresses: [10.0.0.2]
    conditions: {ready: false}
  - addresses: [10.0.0.3]
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: site}
spec:
  virtualhost:
    fqdn: site.example.com
    tls: {secretName: site-tls}
  routes:
    - conditions: [{prefix: /ws}]
      enableWebsockets: true
      timeoutPolicy: {response: infinity}
      services: [{name: web, port: 80}]
    - services: [{name: web, port: 80, weight: 90}, {name: web, port: 80, weight: 10}]
"""


def certificate(host: str, *, days: int = 60) -> Secret:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=90))
        .not_valid_after(datetime.now(UTC) + timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Secret(
        metadata=ObjectMeta(name="site-tls", namespace="default"),
        type="kubernetes.io/tls",
        data={
            "tls.crt": SecretValue(built.public_bytes(serialization.Encoding.PEM)),
            "tls.key": SecretValue(private),
        },
    )


@pytest.fixture
def site(isoline: Isoline) -> Isoline:
    objects = decode_documents(MANIFESTS).objects
    isoline.do(isoline.source.apply([*objects, certificate("site.example.com")]))
    return isoline


def section(text: str, title: str) -> list[list[str]]:
    """The rows of a section, cut where at least three spaces stand."""
    _, _, rest = text.partition(f"{title}\n")
    body = rest.split("\n\n")[0]
    return [re.split(r" {3,}", line.strip()) for line in body.splitlines()]


def test_routes_say_where_requests_go(site: Isoline, run: Run) -> None:
    rows = section(run("describe", "httpproxy", "site").out, "Routes")
    assert rows[0] == ["HOST", "SCHEME", "MATCH", "GOES TO", "WITH"]
    assert rows[1] == ["site.example.com", "https", "/ws*", "default/web/http", "websocket, no timeout"]
    assert rows[2][2:4] == ["/*", "default/web/http 90 %, default/web/http 10 %"]
    assert rows[3][1:4] == ["http", "/ws*", "301 to https"]


def test_endpoints_show_what_the_cluster_and_what_envoy_say(site: Isoline, run: Run) -> None:
    def endpoint(address: str, *flags: str) -> EndpointStatus:
        return EndpointStatus(address=address, healthy=not flags, flags=flags, weight=1, active_requests=2)

    site.statuses = [
        ClusterStatus(
            name="default/web/80/abc",
            endpoints=(endpoint("10.0.0.1:9000"), endpoint("10.0.0.3:9000", "failed_active_health_check")),
        ),
        ClusterStatus(name="default/web2/80/abc", endpoints=(endpoint("10.0.0.2:9000"),)),
    ]
    rows = section(run("describe", "proxy/site").out, "Endpoints")
    assert rows[1:] == [
        ["web/http", "10.0.0.1:9000", "ready", "healthy", "2"],
        ["web/http", "10.0.0.2:9000", "not ready", "not in use", "-"],
        ["web/http", "10.0.0.3:9000", "ready", "failed_active_health_check", "2"],
    ]
    assert section(run("describe", "service", "web").out, "Endpoints") == rows


def test_a_service_with_nothing_behind_it_says_what_happens(site: Isoline, run: Run) -> None:
    site.do(site.source.delete([site.key("EndpointSlice", "web-1")]))
    assert "answered with 503" in run("describe", "svc", "web").out


def test_certificates_are_shown_with_their_dates(site: Isoline, run: Run) -> None:
    rows = section(run("describe", "httpproxy", "site").out, "Certificates")
    assert rows[1][:3] == ["default/site-tls", "site.example.com", "Test authority"]
    assert rows[1][3].endswith("60 days left")
    site.do(site.source.apply([certificate("site.example.com", days=-1)]))
    assert section(run("describe", "secret", "site-tls").out, "Certificates")[1][3].endswith("expired")


def test_errors_of_a_proxy_are_told_with_reason_and_message(site: Isoline, run: Run) -> None:
    async def refuse() -> None:
        error = SubCondition(type="RouteError", status="True", reason="Bad", message="no such thing")
        condition = DetailedCondition(type="Valid", status="False", reason="ErrorPresent", errors=(error,))
        status = HTTPProxyStatus(current_status="invalid", description="see errors", conditions=(condition,))
        site.source.set_status(site.key("HTTPProxy", "site"), status)

    site.do(refuse())
    out = run("describe", "httpproxy", "site").out
    assert section(out, "Errors and warnings")[1][1:] == ["error", "RouteError", "Bad", "no such thing"]
    assert section(out, "Conditions")[1][:3] == ["Valid", "False", "ErrorPresent"]


def test_events_are_told_with_their_age(site: Isoline, run: Run) -> None:
    rows = section(run("describe", "httpproxy", "site").out, "Events")
    assert rows[1][1:] == ["Normal", "Created", "HTTPProxy default/site", "Created by command"]


def test_children_and_owner_name_each_other(site: Isoline, run: Run) -> None:
    child = HTTPProxy(metadata=ObjectMeta(name="child", namespace="default"), spec=_spec(site.source.store))
    site.do(site.source.reconcile_children(site.key("Service", "web"), [child], manager="test"))
    assert section(run("describe", "service", "web").out, "Made for it") == [["KIND", "NAME"], ["HTTPProxy", "child"]]
    assert re.search(r"Owner +Service web", run("describe", "httpproxy", "child").out)


def _spec(store: Store) -> HTTPProxySpec:
    (proxy,) = store.of_kind("HTTPProxy")
    assert isinstance(proxy, HTTPProxy)
    return proxy.spec


def test_a_secret_is_described_without_its_values(site: Isoline, run: Run) -> None:
    out = run("describe", "secret", "site-tls").out
    assert re.search(r"tls\.key \(\d+ bytes\)", out)
    assert "PRIVATE" not in out


def test_what_is_not_there_is_said(site: Isoline, run: Run) -> None:
    answer = run("describe", "httpproxy", "other")
    assert (answer.code, answer.err) == (1, "there is no HTTPProxy default/other\n")
    assert run("describe", "httpproxy").code == 2
