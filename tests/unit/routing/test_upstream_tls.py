"""services[].validation: whom an upstream must prove to be, and what is said when that cannot be told."""

import pytest

from isoline.objects import Object, ObjectMeta, Secret, SecretValue
from isoline.routing import ir
from unit.routing.support import compiled, errors, objects, pair, root, self_signed, service, site, status_of

VALIDATION = "validation: {caSecret: ca, subjectName: a.example.com}"


def ca(name: str = "ca", namespace: str = "default", *, bundle: bytes | None = None) -> Secret:
    data = {"ca.crt": SecretValue(pair()[0] if bundle is None else bundle)}
    return Secret(metadata=ObjectMeta(name=name, namespace=namespace), type="Opaque", data=data)


def upstream(fields: str) -> Object:
    return root(f"routes: [{{services: [{{name: app, port: 80, {fields}}}]}}]")


def delegation(targets: str) -> Object:
    (item,) = objects(
        f"""
        apiVersion: projectcontour.io/v1
        kind: TLSCertificateDelegation
        metadata: {{name: lend, namespace: other}}
        spec: {{delegations: [{{secretName: ca, targetNamespaces: [{targets}]}}]}}
        """
    )
    return item


@pytest.mark.parametrize("protocol", ["tls", "h2"])
def test_an_upstream_that_speaks_tls_is_validated(protocol: str) -> None:
    (cluster,) = site(upstream(f"protocol: {protocol}, {VALIDATION}"), service(), ca()).clusters
    assert cluster.trust == ir.Trust(authorities=pair()[0], names=("a.example.com",))


def test_by_the_annotation_of_the_service_too() -> None:
    annotated = service("app", **{"projectcontour.io/upstream-protocol.tls": "80"})
    (cluster,) = site(upstream(VALIDATION), annotated, ca()).clusters
    assert cluster.trust is not None


def test_without_validation_anybody_may_answer() -> None:
    (cluster,) = site(upstream("protocol: tls"), service()).clusters
    assert cluster.trust is None


def test_several_names() -> None:
    fields = "protocol: tls, validation: {caSecret: ca, subjectName: a, subjectNames: [a, b, a]}"
    (cluster,) = site(upstream(fields), service(), ca()).clusters
    assert cluster.trust is not None
    assert cluster.trust.names == ("a", "b")


@pytest.mark.parametrize("protocol", ["", ", protocol: h2c"])
def test_without_tls_it_is_told_that_nothing_is_validated(protocol: str) -> None:
    item = upstream(VALIDATION + protocol)
    result = compiled(item, service(), ca())
    assert result.statuses[item.key].current_status == "valid"
    assert [warning.message.split(":")[0] for warning in result.statuses[item.key].warnings] == [
        "spec.routes[0].services[0].validation"
    ]
    assert result.site is not None
    assert result.site.clusters[0].trust is None


@pytest.mark.parametrize("targets", ["default", "'*'", "elsewhere, '*'"])
def test_another_namespaces_ca_by_delegation(targets: str) -> None:
    item = upstream(f"protocol: tls, {VALIDATION.replace('ca,', 'other/ca,')}")
    (cluster,) = site(item, service(), ca("ca", "other"), delegation(targets)).clusters
    assert cluster.trust is not None


@pytest.mark.parametrize("others", [(), (delegation("elsewhere"),)])
def test_another_namespaces_ca_without_leave(others: tuple[Object, ...]) -> None:
    item = upstream(f"protocol: tls, {VALIDATION.replace('ca,', 'other/ca,')}")
    status = status_of(item, service(), ca("ca", "other"), *others)
    assert errors(status) == [("TLSError", "CACertificateNotDelegated")]


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (None, "Secret not found"),
        (ca(bundle=b""), "missing ca.crt"),
        (ca(bundle=b"nothing"), "holds no PEM certificate"),
        (ca(bundle=pair()[0].replace(b"\n", b"\nx", 3)), "holds no PEM certificate"),
    ],
)
def test_a_ca_that_cannot_be_used_takes_the_route_out(secret: Secret | None, words: str) -> None:
    item = upstream(f"protocol: tls, {VALIDATION}")
    result = compiled(item, service(), *([] if secret is None else [secret]))
    status = result.statuses[item.key]
    assert errors(status) == [("ServiceError", "TLSUpstreamValidation")]
    assert status.errors[0].message.startswith("spec.routes[0].services[0].validation.caSecret: ")
    assert words in status.errors[0].message
    assert result.site is None


@pytest.mark.parametrize(
    "fields",
    [
        "subjectName: ''",
        "subjectName: a, subjectNames: [b, a]",
        "subjectName: a, subjectNames: [a, b, c, d, e, f, g, h, i]",
        "subjectName: a, subjectNames: [a, '']",
        f"subjectName: {'a' * 251}",
    ],
)
def test_names_that_cannot_be(fields: str) -> None:
    status = status_of(upstream(f"protocol: tls, validation: {{caSecret: ca, {fields}}}"), service(), ca())
    assert errors(status) == [("ServiceError", "TLSUpstreamValidation")]


def test_a_broken_block_is_told_and_the_others_count() -> None:
    good, other = pair()[0], self_signed("other.example.com")[0]
    item = upstream(f"protocol: tls, {VALIDATION}")
    result = compiled(item, service(), ca(bundle=good + good[:200] + b"\n" + other))
    assert result.statuses[item.key].current_status == "valid"
    assert "1 certificates" in result.statuses[item.key].warnings[0].message
    assert result.site is not None
    assert result.site.clusters[0].trust == ir.Trust(authorities=good + other, names=("a.example.com",))


def test_trust_tells_clusters_apart() -> None:
    services = "".join(
        f"- {{conditions: [{{prefix: /{position}}}], services: [{{name: app, port: 80, protocol: tls, {fields}}}]}}\n"
        for position, fields in enumerate(
            (
                "",
                VALIDATION,
                "validation: {caSecret: ca, subjectName: b}",
                "validation: {caSecret: ca, subjectName: a.example.com, subjectNames: [a.example.com, b]}",
                "validation: {caSecret: ca2, subjectName: a.example.com}",
            )
        )
    )
    second = ca("ca2", bundle=self_signed("other.example.com")[0])
    clusters = site(root(f"routes:\n{services}"), service(), ca(), second).clusters
    assert len({cluster.name for cluster in clusters}) == 5


def test_a_ca_that_appears_is_noticed() -> None:
    item = upstream(f"protocol: tls, {VALIDATION}")
    assert ca().key in compiled(item, service()).reads
