"""ExtensionServices: the server that a spec means, and what is said of one that cannot be asked."""

import pytest

from isoline.cluster.store import Store
from isoline.objects import ExtensionService, Key, Object, ObjectMeta, Secret, SecretValue
from isoline.routing import ir
from isoline.routing.endpoints import compile_endpoints
from isoline.routing.extensions import Extension, compile_extension, find_extension
from isoline.routing.httpproxy.scope import Report
from isoline.routing.indexes import INDEXES
from isoline.routing.settings import Settings
from isoline.routing.view import View
from unit.routing.support import compiled, errors, objects, pair, service, store_of

KEY = Key("ExtensionService", "auth", "server")
ONE = "services: [{name: app, port: 80}]"
APP = service("app", "auth")


def extension(spec: str = ONE) -> ExtensionService:
    (item,) = objects(
        f"""
        apiVersion: projectcontour.io/v1alpha1
        kind: ExtensionService
        metadata: {{name: server, namespace: auth}}
        spec: {{{spec}}}
        """
    )
    assert isinstance(item, ExtensionService)
    return item


def ca() -> Secret:
    data = {"ca.crt": SecretValue(pair()[0])}
    return Secret(metadata=ObjectMeta(name="ca", namespace="auth"), type="Opaque", data=data)


def found(spec: str, *others: Object) -> Extension:
    result = find_extension("auth", "server", View(store_of(extension(spec), APP, *others), Settings()))
    assert result is not None
    return result


def told(spec: str, *others: Object) -> Report:
    report = Report()
    compile_extension(extension(spec), View(store_of(APP, *others), Settings()), report)
    return report


def test_a_server_speaks_h2_with_tls_unless_it_says_otherwise() -> None:
    server = found(ONE)
    assert (server.cluster.protocol, server.cluster.endpoints) == (ir.Upstream.H2, "auth/app/80")
    assert (server.timeout, server.authority) == (0.2, "extension.auth.server")
    assert server.cluster.name.startswith("extension/auth/server/")
    assert found(f"{ONE}, protocol: h2c").cluster.protocol is ir.Upstream.H2C
    assert found(f"{ONE}, protocol: http/1.1").cluster.protocol is ir.Upstream.HTTP1


def test_its_validation_timeouts_limits_and_balance() -> None:
    server = found(
        f"{ONE}, validation: {{caSecret: ca, subjectName: auth.example.com}}, "
        "timeoutPolicy: {response: 3s, idleConnection: 9s}, loadBalancerPolicy: {strategy: WeightedLeastRequest}, "
        "circuitBreakerPolicy: {maxConnections: 1, maxPendingRequests: 2, maxRequests: 3, maxRetries: 0, "
        "perHostMaxConnections: 5}",
        ca(),
    )
    cluster = server.cluster
    assert cluster.trust == ir.Trust(authorities=pair()[0], names=("auth.example.com",))
    assert (cluster.sni, server.authority) == ("auth.example.com", "auth.example.com")
    assert (server.timeout, cluster.idle_timeout) == (3.0, 9.0)
    assert cluster.balance is ir.Balance.LEAST_REQUEST
    assert cluster.limits == ir.Limits(connections=1, pending_requests=2, requests=3, connections_per_endpoint=5)


def test_an_answer_may_be_waited_for_without_end() -> None:
    assert found(f"{ONE}, timeoutPolicy: {{response: infinity}}").timeout == ir.NEVER


@pytest.mark.parametrize(
    ("weights", "wanted"),
    [
        ((0, 0), [500_000, 250_000, 250_000]),
        ((30, 10), [750_000, 125_000, 125_000]),
        ((2**31 - 1, 2**31 - 1), [500_000, 250_000, 250_000]),
        ((0, 1), [500_000, 500_000]),
    ],
)
def test_each_service_gets_its_share_however_many_endpoints_it_has(weights: tuple[int, int], wanted: list[int]) -> None:
    slices = "".join(
        f"""
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {{name: {name}, namespace: auth, labels: {{kubernetes.io/service-name: {name}}}}}
        addressType: IPv4
        ports: [{{port: 80}}]
        endpoints: [{addresses}]
        """
        for name, addresses in (
            ("app", "{addresses: [10.0.0.1]}"),
            ("b", "{addresses: [10.0.1.1]}, {addresses: [10.0.1.2]}"),
        )
    )
    services = f"services: [{{name: app, port: 80, weight: {weights[0]}}}, {{name: b, port: 80, weight: {weights[1]}}}]"
    store = store_of(extension(services), APP, service("b", "auth"), *objects(slices))
    server = find_extension("auth", "server", View(store, Settings()))
    assert server is not None
    endpoints, _ = compile_endpoints(server.cluster.endpoints, View(store, Settings()))
    assert [each.weight for each in endpoints.endpoints] == wanted


FAULTS = [
    ("services: []", ("SpecError", "NothingDefined")),
    ("services: [{name: none, port: 80}]", ("ServiceError", "ServiceUnresolvedReference")),
    ("services: [{name: app, port: 81}]", ("ServiceError", "ServiceUnresolvedReference")),
    ("services: [{name: app, port: 80, weight: -1}]", ("ServiceError", "ServiceWeightInvalid")),
    (f"{ONE}, protocol: h3", ("SpecError", "UnsupportedProtocol")),
    (f"{ONE}, timeoutPolicy: {{response: soon}}", ("SpecError", "TimeoutPolicyNotValid")),
    (f"{ONE}, validation: {{caSecret: none, subjectName: a}}", ("SpecError", "TLSUpstreamValidation")),
    (f"{ONE}, validation: {{caSecret: ca, subjectName: ''}}", ("SpecError", "TLSUpstreamValidation")),
    (f"{ONE}, validation: {{caSecret: other/ca, subjectName: a}}", ("TLSError", "CACertificateNotDelegated")),
    (f"{ONE}, protocol: h2c, validation: {{caSecret: ca, subjectName: a}}", ("SpecError", "InconsistentProtocol")),
]


@pytest.mark.parametrize(("spec", "wanted"), FAULTS)
def test_what_is_wrong_is_told_and_nobody_is_asked(spec: str, wanted: tuple[str, str]) -> None:
    report = told(spec, ca())
    assert errors(report.status()) == [wanted]
    assert find_extension("auth", "server", View(store_of(extension(spec), APP, ca()), Settings())) is None


def test_an_external_name_cannot_be_asked() -> None:
    (outside,) = objects(
        """
        apiVersion: v1
        kind: Service
        metadata: {name: outside, namespace: auth}
        spec: {type: ExternalName, externalName: example.com, ports: [{port: 80}]}
        """
    )
    report = told("services: [{name: outside, port: 80}]", outside)
    assert errors(report.status()) == [("ServiceError", "UnsupportedServiceType")]


@pytest.mark.parametrize(
    "field",
    [
        "loadBalancerPolicy: {strategy: Cookie}",
        "loadBalancerPolicy: {strategy: RequestHash}",
        "timeoutPolicy: {idle: 5s}",
        "circuitBreakerPolicy: {maxRequests: -1}",
    ],
)
def test_what_is_ignored_is_told(field: str) -> None:
    report = told(f"{ONE}, {field}")
    assert not report.errors
    assert [(warning.type, warning.reason) for warning in report.warnings] == [("SpecError", "IgnoredField")]


def test_every_fault_is_told_at_once() -> None:
    report = told("services: [{name: a, port: 1}, {name: app, port: 2}], protocol: x, timeoutPolicy: {response: x}")
    assert len(report.errors) == 4


def test_its_status_is_found_by_itself_and_again_when_its_service_comes() -> None:
    result = compiled(extension(), host="!extension auth/server")
    assert errors(result.statuses[KEY]) == [("ServiceError", "ServiceUnresolvedReference")]
    assert APP.key in result.reads
    assert compiled(extension(), APP, host="!extension auth/server").statuses[KEY].current_status == "valid"


def test_nobody_is_found_where_nothing_is() -> None:
    assert find_extension("auth", "server", View(Store(INDEXES), Settings())) is None
