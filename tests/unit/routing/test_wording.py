"""Contour's sentences, where Go's libraries finish them."""

import pytest

from isoline.objects import Secret
from isoline.objects.meta import ObjectMeta
from isoline.objects.secrets import SecretValue
from isoline.routing import regexes, secret_wording, wording
from unit.routing.support import root, self_signed, service, status_of


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s", 'time: invalid duration "s"'),
        (".ms", 'time: invalid duration ".ms"'),
        ("5", 'time: missing unit in duration "5"'),
        ("1h5", 'time: missing unit in duration "1h5"'),
        ("5 minutes", 'time: unknown unit " minutes" in duration "5 minutes"'),
        ("", 'time: invalid duration ""'),
    ],
)
def test_durations(text: str, said: str) -> None:
    assert wording.bad_duration(text) == said


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("/a[", "error parsing regexp: missing closing ]: `[`"),
        ("/a(", "error parsing regexp: missing closing ): `/a(`"),
        ("*", "error parsing regexp: missing argument to repetition operator: `*`"),
    ],
)
def test_regular_expressions(pattern: str, said: str) -> None:
    assert wording.bad_expression(regexes.problem(pattern) or "") == said


def test_names_of_headers() -> None:
    assert wording.canonical_header("x-api-key") == "X-Api-Key"
    assert wording.canonical_header("x api") == "x api"


def test_the_status_has_contours_sentence_and_the_finding_ours_too() -> None:
    item = root("routes: [{conditions: [{prefix: api}], services: [{name: app, port: 80}]}]")
    status = status_of(item, service())
    (error,) = status.errors
    assert error.message == "spec.routes[0].conditions[0].prefix: must start with /, found 'api'"
    (told,) = status.condition().errors
    assert told.message == "route: prefix conditions must start with /, api was supplied"


def test_where_contour_has_no_sentence_the_status_has_ours() -> None:
    item = root("routes: [{directResponsePolicy: {statusCode: 200, body: %s}}]" % ("x" * 5000))
    (told,) = status_of(item).condition().errors
    assert told.message == "spec.routes[0].directResponsePolicy.body: at most 4096 bytes are possible, found 5000"


CHAIN, KEY = self_signed()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "missing TLS certificate"),
        ({"tls.crt": CHAIN}, "missing TLS private key"),
        ({"tls.crt": b"", "tls.key": KEY}, "invalid TLS certificate: failed to locate certificate"),
        ({"tls.crt": KEY, "tls.key": KEY}, "invalid TLS certificate: unexpected block type 'PRIVATE KEY'"),
        ({"tls.crt": CHAIN[:90], "tls.key": KEY}, "invalid TLS certificate: failed to parse PEM block"),
        ({"tls.crt": CHAIN, "tls.key": CHAIN}, "invalid TLS private key: unexpected block type 'CERTIFICATE'"),
        ({"tls.crt": CHAIN, "tls.key": KEY + KEY}, "invalid TLS private key: multiple private keys"),
        ({"tls.crt": CHAIN, "tls.key": KEY}, ""),
    ],
)
def test_certificates(data: dict[str, bytes], said: str) -> None:
    values = {name: SecretValue(content) for name, content in data.items()}
    secret = Secret(metadata=ObjectMeta(name="tls", namespace="default"), type="kubernetes.io/tls", data=values)
    assert secret_wording.about_certificate(secret) == said
