"""What is wrong with an App: each fault with its field, all of them at once."""

import pytest

from isoline.apps import Offered, Target, faults, load_catalog, notices, profile_of
from isoline.objects import App
from isoline.objects.decoding import decode_documents
from isoline.objects.issuers import IssuerReference

CATALOG = load_catalog()


def app(spec: str) -> App:
    decoded = decode_documents(
        f"apiVersion: isoline.dev/v1alpha1\nkind: App\nmetadata: {{name: voice}}\nspec: {spec}\n"
    )
    assert not decoded.errors, decoded.errors
    (found,) = decoded.objects
    assert isinstance(found, App)
    return found


def told(spec: str) -> list[str]:
    return [str(fault) for fault in faults(app(spec), CATALOG, Target.MACHINE)]


@pytest.mark.parametrize(
    "spec",
    [
        "{profile: voice, host: voice.localhost}",
        "{run: {image: 'cosyvoice3:latest'}, host: [a.localhost, b.localhost]}",
        "{run: {command: [./serve], port: 5000}, host: a.localhost}",
        "{run: {image: 'own/app:1', command: [./serve], port: 5000}, host: a.localhost, tls: {secretName: mine}}",
    ],
)
def test_an_app_that_can_be_run_has_no_fault(spec: str) -> None:
    assert told(spec) == []


@pytest.mark.parametrize(
    ("spec", "path", "words"),
    [
        ("{profile: voise, host: a.localhost}", "spec.profile", 'did you mean "voice"?'),
        ("{profile: quux, host: a.localhost}", "spec.profile", "not in the catalog, which has: cosyvoice, voice"),
        ("{profile: voice}", "spec.host", "is missing"),
        ("{profile: voice, host: [a.localhost, A.localhost]}", "spec.host", "more than once"),
        ("{run: {port: 80}, host: a.localhost}", "spec.run.command", "give the command"),
        ("{run: {image: 'own/app', port: 80}, host: a.localhost}", "spec.run.command", "own/app"),
        ("{run: {command: [serve]}, host: a.localhost}", "spec.run.port", "is missing"),
        ("{profile: voice, host: a.b, tls: {issuer: {name: x}}}", "spec.tls.issuer", "needs Kubernetes"),
        (
            "{profile: voice, host: a.b, storage: [{name: x, path: /x}, {name: z, path: /x}]}",
            "spec.storage[1].path",
            "another volume",
        ),
        (
            "{profile: voice, host: a.b, storage: [{name: x, path: /var/lib/isoline-voice}]}",
            "spec.storage[0].name",
            'calls the volume at "/var/lib/isoline-voice" "state"',
        ),
        ("{profile: voice, host: a.b, access: {allow: [10.0.0.0/8], deny: [10.1.0.0/16]}}", "spec.access", "keep one"),
    ],
)
def test_a_fault_names_its_field_and_what_to_do(spec: str, path: str, words: str) -> None:
    (fault,) = told(spec)
    assert fault.startswith(f"{path}: ")
    assert words in fault


LOGIN = "clientID: a, clientSecret: {secretName: s, key: k}"


@pytest.mark.parametrize(
    ("guard", "path", "words"),
    [
        (
            f"oidc: {{issuer: 'https://i/a/', tokenEndpoint: 'https://x/t', {LOGIN}}}",
            "oidc.authorizationEndpoint",
            "is needed: https://i/a/.well-known/openid-configuration names it",
        ),
        (f"oidc: {{tokenEndpoint: 'https://x/t', {LOGIN}}}", "oidc.authorizationEndpoint", "is needed"),
        (f"oidc: {{authorizationEndpoint: 'https://x/a', {LOGIN}}}", "oidc.tokenEndpoint", "is needed"),
        (
            f"oidc: {{authorizationEndpoint: 'https://x/a', tokenEndpoint: 'http://x/t', {LOGIN}}}",
            "oidc.tokenEndpoint",
            "no https URL",
        ),
        (
            f"oidc: {{authorizationEndpoint: 'https://x', tokenEndpoint: 'https://x', endSessionEndpoint: x, {LOGIN}}}",
            "oidc.endSessionEndpoint",
            "no https URL",
        ),
        ("jwt: {issuer: a}", "jwt.jwksURL", "or jwks"),
        ("jwt: {jwksURL: 'http://x/keys'}", "jwt.jwksURL", "no https URL"),
        ("jwt: {jwksURL: 'https://x:y/keys'}", "jwt.jwksURL", "no https URL"),
        ("jwt: {jwksURL: 'https://x/keys', jwks: {secretName: s, key: k}}", "jwt", "keep one"),
    ],
)
def test_an_app_is_not_put_online_without_the_guard_that_it_asks_for(guard: str, path: str, words: str) -> None:
    (fault,) = told(f"{{profile: voice, host: a.b, access: {{{guard}}}}}")
    assert fault.startswith(f"spec.access.{path}: ")
    assert words in fault


def test_every_fault_is_told_at_once() -> None:
    fields = {fault.split(":")[0] for fault in told("{profile: nonsense, tls: {issuer: {name: x}}}")}

    assert fields == {"spec.profile", "spec.host", "spec.tls.issuer"}


def test_what_has_no_effect_here_is_said() -> None:
    ambitious = app(
        "{profile: voice, host: a.b, scale: {min: 0, max: 3}, egress: {policy: Deny}, "
        "storage: [{name: x, path: /x, backup: {schedule: '@daily'}}], upgrade: {source: {git: 'https://x'}}}"
    )

    said = notices(ambitious, Target.MACHINE)

    assert [(each.path, each.reason) for each in said] == [
        ("spec.scale", "NotInThisVersion"),
        ("spec.storage[].backup", "NotInThisVersion"),
        ("spec.upgrade", "NotInThisVersion"),
        ("spec.egress", "OnlyInACluster"),
    ]
    assert notices(app("{profile: voice, host: a.b, scale: {min: 2, max: 2}}"), Target.MACHINE) == []


def test_a_profile_is_meant_by_name_or_by_image() -> None:
    by_image = app("{run: {image: cosyvoice3}, host: a.b}")
    own = app("{run: {command: [serve], port: 1}, host: a.b}")

    assert profile_of(by_image, CATALOG) == CATALOG.get("voice")
    assert profile_of(own, CATALOG) is None


@pytest.mark.parametrize(
    ("spec", "path", "words"),
    [
        ("{run: {command: [./serve], port: 80}, host: a.b}", "spec.run.image", "give the image"),
        ("{profile: voice, host: a.b, tls: {selfSigned: true}}", "spec.tls.selfSigned", "use issuer or secretName"),
    ],
)
def test_what_a_cluster_cannot_do_is_a_fault_there(spec: str, path: str, words: str) -> None:
    (fault,) = map(str, faults(app(spec), CATALOG, Target.KUBERNETES))
    assert fault.startswith(f"{path}: ")
    assert words in fault


def test_a_cluster_runs_images_as_they_are_and_refuses_connections_out_of_an_app() -> None:
    given = app("{run: {image: 'own/app:1', port: 80}, host: a.b, egress: {policy: Deny}}")

    assert faults(given, CATALOG, Target.KUBERNETES) == []
    assert notices(given, Target.KUBERNETES) == []


def test_what_a_cluster_has_nobody_for_is_said() -> None:
    given = app("{profile: voice, host: a.b, tls: {issuer: {name: x}}, metrics: {}}")

    def told(*kinds: str) -> list[tuple[str, str]]:
        return [(each.path, each.reason) for each in notices(given, Target.KUBERNETES, Offered(frozenset(kinds)))]

    certificate, figures = ("spec.tls.issuer", "NoCertManager"), ("spec.metrics", "NoPrometheusOperator")
    assert told() == [certificate, figures]
    assert told("Certificate") == [figures]
    assert told("Certificate", "ServiceMonitor") == []


def test_it_is_said_as_well_where_the_gateway_names_the_issuer() -> None:
    given = app("{profile: voice, host: a.b, scale: {min: 0}}")
    issuer = IssuerReference(name="letsencrypt")

    said = notices(given, Target.KUBERNETES, Offered(issuer=issuer))

    assert [(each.path, each.reason) for each in said] == [
        ("tls.issuer of the GatewayConfig", "NoCertManager"),
        ("spec.scale", "NotInThisVersion"),
    ]
    assert "letsencrypt" in said[0].message
    assert "install cert-manager" in said[0].message


def test_what_needs_a_cluster_is_said_on_one_machine() -> None:
    given = app(
        "{profile: voice, host: a.b, metrics: {}, scheduling: {nodeSelector: {a: b}},"
        " storage: [{name: x, path: /x, whenDeleted: Delete}]}"
    )
    said = {each.path for each in notices(given, Target.MACHINE)}
    assert said == {"spec.storage[].whenDeleted", "spec.scheduling", "spec.metrics"}
