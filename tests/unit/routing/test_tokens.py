"""jwtProviders and jwtVerificationPolicy: whose tokens routes demand, where keys come from, and what cannot be."""

import base64
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from isoline.objects import Object, ObjectMeta, Secret, SecretValue
from isoline.routing import ir
from isoline.routing.compiler import Compiled
from isoline.routing.jwks import Keys, parse_jwks
from unit.routing.support import HOST, compiled, errors, pair, proxy, secret, service

KEY = ec.generate_private_key(ec.SECP256R1())
JWK = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))
RSA = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key()))
LOCAL = "localJWKS: {secretName: keys, key: jwks}"
REMOTE = "remoteJWKS: {uri: 'https://login.example.com/keys'%}"
ROUTE = "{conditions: [{prefix: /x}], services: [{name: app, port: 80}]%}"
ALL = "{services: [{name: app, port: 80}]}"


def keys(*written: object, text: bytes | None = None) -> Secret:
    contents = json.dumps({"keys": written or [JWK]}).encode() if text is None else text
    data = {"jwks": SecretValue(contents)}
    return Secret(metadata=ObjectMeta(name="keys", namespace="default"), type="Opaque", data=data)


def ca() -> Secret:
    data = {"ca.crt": SecretValue(pair()[0])}
    return Secret(metadata=ObjectMeta(name="ca", namespace="default"), type="Opaque", data=data)


def root(providers: str, routes: str = ALL, *, tls: str = ", tls: {secretName: tls}") -> Object:
    return proxy(f"virtualhost: {{fqdn: {HOST}{tls}, jwtProviders: [{providers}]}}\nroutes: [{routes}]")


def result(providers: str, routes: str = ALL, *others: Object) -> tuple[Object, Compiled]:
    item = root(providers, routes)
    return item, compiled(item, service(), secret(), keys(), ca(), *others)


def tokens_of(found: Compiled) -> ir.Tokens:
    assert found.site is not None, found.statuses
    assert found.site.tokens is not None
    return found.site.tokens


def test_local_keys_are_at_hand_and_nothing_private_with_them() -> None:
    item, found = result(f"{{name: p, {LOCAL}, issuer: i, audiences: [a, b], forwardJWT: true, default: true}}")
    (provider,) = tokens_of(found).providers
    assert found.statuses[item.key].current_status == "valid"
    assert (provider.name, provider.issuer, provider.audiences, provider.forward) == ("p", "i", ("a", "b"), True)
    assert tokens_of(found).default == "p"
    assert isinstance(provider.keys, ir.LocalKeys)
    assert repr(provider.keys.jwks) == "<redacted>"
    assert keys().key in found.reads


def test_remote_keys_are_fetched_by_a_cluster_of_their_own() -> None:
    fields = ", timeout: 3s, cacheDuration: 1h, dnsLookupFamily: v4, validation: {caSecret: ca, subjectName: a}"
    _, found = result(f"{{name: p, {REMOTE.replace('%', fields)}}}")
    (provider,) = tokens_of(found).providers
    assert isinstance(provider.keys, ir.RemoteKeys)
    assert (provider.keys.timeout, provider.keys.cache_duration) == (3.0, 3600.0)
    assert found.site is not None
    cluster = next(each for each in found.site.clusters if each.name == provider.keys.cluster)
    assert cluster.dns == ir.Dns(hostname="login.example.com", port=443, family=ir.DnsFamily.V4)
    assert (cluster.protocol, cluster.sni) == (ir.Upstream.TLS, "login.example.com")
    assert cluster.trust == ir.Trust(authorities=pair()[0], names=("a",))
    assert "" not in found.endpoints


@pytest.mark.parametrize(
    ("uri", "host", "port", "protocol", "sni"),
    [
        ("http://login.example.com/keys?x=1", "login.example.com", 80, ir.Upstream.HTTP1, ""),
        ("https://login.example.com:8443", "login.example.com", 8443, ir.Upstream.TLS, "login.example.com"),
        ("https://10.0.0.1/keys", "10.0.0.1", 443, ir.Upstream.TLS, ""),
        ("http://[::1]:81/keys", "::1", 81, ir.Upstream.HTTP1, ""),
    ],
)
def test_where_keys_are(uri: str, host: str, port: int, protocol: ir.Upstream, sni: str) -> None:
    _, found = result(f"{{name: p, remoteJWKS: {{uri: '{uri}'}}}}")
    assert found.site is not None
    (cluster,) = (each for each in found.site.clusters if each.dns is not None)
    assert cluster.dns == ir.Dns(hostname=host, port=port)
    assert (cluster.protocol, cluster.sni) == (protocol, sni)
    (provider,) = tokens_of(found).providers
    assert isinstance(provider.keys, ir.RemoteKeys)
    assert (provider.keys.timeout, provider.keys.cache_duration) == (1.0, 300.0)


FAULTS = [
    ("{name: p}", "JWKSSourceMissing"),
    (f"{{name: p, {LOCAL}, {REMOTE.replace('%', '')}}}", "JWKSSourceConflict"),
    (f"{{name: p, {LOCAL}}}, {{name: p, {LOCAL}}}", "DuplicateProviderName"),
    (f"{{name: p, default: true, {LOCAL}}}, {{name: q, default: true, {LOCAL}}}", "MultipleDefaultProvidersSpecified"),
    (f"{{name: '', {LOCAL}}}", "ProviderNameMissing"),
    ("{name: p, localJWKS: {secretName: none, key: jwks}}", "LocalJWKSInvalid"),
    ("{name: p, localJWKS: {secretName: keys, key: none}}", "LocalJWKSInvalid"),
    ("{name: p, remoteJWKS: {uri: 'https://[::1/keys'}}", "RemoteJWKSURIInvalid"),
    ("{name: p, remoteJWKS: {uri: 'https:///keys'}}", "RemoteJWKSURIInvalid"),
    ("{name: p, remoteJWKS: {uri: 'https://a b/keys'}}", "RemoteJWKSURIInvalid"),
    ("{name: p, remoteJWKS: {uri: 'https://user@a/keys'}}", "RemoteJWKSURIInvalid"),
    ("{name: p, remoteJWKS: {uri: 'ftp://a/keys'}}", "RemoteJWKSSchemeInvalid"),
    ("{name: p, remoteJWKS: {uri: keys}}", "RemoteJWKSSchemeInvalid"),
    ("{name: p, remoteJWKS: {uri: 'https://a:99999/keys'}}", "RemoteJWKSPortInvalid"),
    ("{name: p, remoteJWKS: {uri: 'https://a:0/keys'}}", "RemoteJWKSPortInvalid"),
    (f"{{name: p, {REMOTE.replace('%', ', timeout: soon')}}}", "RemoteJWKSTimeoutInvalid"),
    (f"{{name: p, {REMOTE.replace('%', ', timeout: -1s')}}}", "RemoteJWKSTimeoutInvalid"),
    (f"{{name: p, {REMOTE.replace('%', ', cacheDuration: .ms')}}}", "RemoteJWKSCacheDurationInvalid"),
    (f"{{name: p, {REMOTE.replace('%', ', cacheDuration: 0s')}}}", "RemoteJWKSCacheDurationInvalid"),
    (f"{{name: p, {REMOTE.replace('%', ', dnsLookupFamily: v5')}}}", "RemoteJWKSDNSLookupFamilyInvalid"),
    (
        "{name: p, remoteJWKS: {uri: 'http://a/keys', validation: {caSecret: ca, subjectName: a}}}",
        "RemoteJWKSUpstreamValidationInvalid",
    ),
    (
        f"{{name: p, {REMOTE.replace('%', ', validation: {caSecret: none, subjectName: a}')}}}",
        "RemoteJWKSUpstreamValidationInvalid",
    ),
    (
        f"{{name: p, {REMOTE.replace('%', ', validation: {caSecret: other/ca, subjectName: a}')}}}",
        "RemoteJWKSCACertificateNotDelegated",
    ),
]


@pytest.mark.parametrize(("providers", "reason"), FAULTS)
def test_a_provider_that_cannot_be_closes_the_host(providers: str, reason: str) -> None:
    item, found = result(providers)
    assert found.site is None
    assert errors(found.statuses[item.key]) == [("JWTVerificationError", reason)]


def test_every_fault_is_told_at_once() -> None:
    item, found = result("{name: p}, {name: p, remoteJWKS: {uri: 'ftp://a'}}")
    assert len(errors(found.statuses[item.key])) == 3


@pytest.mark.parametrize("tls", ["", ", tls: {passthrough: true}"])
def test_tokens_are_for_hosts_that_end_tls(tls: str) -> None:
    item = root(f"{{name: p, {LOCAL}}}", tls=tls)
    assert ("JWTVerificationError", "JWTVerificationNotPermitted") in errors(
        compiled(item, service(), keys()).statuses[item.key]
    )


def test_what_routes_say() -> None:
    providers = f"{{name: p, default: true, {LOCAL}}}, {{name: q, {LOCAL}}}"
    policies = ["", ", jwtVerificationPolicy: {require: q}", ", jwtVerificationPolicy: {disabled: true}"]
    routes = ", ".join(ROUTE.replace("/x", f"/{at}").replace("%", policy) for at, policy in enumerate(policies))
    _, found = result(providers, routes)
    assert found.site is not None
    assert {route.match.path.value: route.token for route in found.site.https} == {"/0": None, "/1": "q", "/2": ""}


def test_over_plain_http_where_that_is_permitted_the_same_is_demanded() -> None:
    route = ROUTE.replace("%", ", permitInsecure: true, jwtVerificationPolicy: {require: p}")
    _, found = result(f"{{name: p, {LOCAL}}}", route)
    assert found.site is not None
    assert [each.token for each in found.site.http] == ["p"]


@pytest.mark.parametrize("policy", ["{require: none}", "{require: p, disabled: true}"])
def test_a_demand_that_cannot_be_met_closes_its_route(policy: str) -> None:
    routes = ROUTE.replace("%", f", jwtVerificationPolicy: {policy}") + ", " + ALL
    item, found = result(f"{{name: p, {LOCAL}}}", routes)
    reasons = {"{require: none}": "JWTProviderNotDefined"}
    wanted = reasons.get(policy, "InvalidJWTVerificationPolicy")
    assert errors(found.statuses[item.key]) == [("JWTVerificationError", wanted)]
    assert found.site is not None
    assert next(r.action for r in found.site.https if r.match.path.value == "/x") == ir.Respond(status=503)


def test_a_route_for_bearers_that_is_out_for_another_reason_is_closed() -> None:
    fields = ", jwtVerificationPolicy: {require: p}, timeoutPolicy: {response: soon}"
    _, found = result(f"{{name: p, {LOCAL}}}", ROUTE.replace("%", fields) + ", " + ALL)
    assert found.site is not None
    assert next(r.action for r in found.site.https if r.match.path.value == "/x") == ir.Respond(status=503)


# --- key sets

OCT = {"kty": "oct", "k": base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("="), "alg": "HS256"}
ED = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


@pytest.mark.parametrize("key", [JWK, RSA, OCT, ED], ids=["EC", "RSA", "oct", "OKP"])
def test_keys_that_can_verify(key: dict[str, str]) -> None:
    parsed = parse_jwks(json.dumps({"keys": [{**key, "d": "private", "kid": "k"}]}).encode())
    assert isinstance(parsed, Keys)
    (kept,) = json.loads(parsed.jwks)["keys"]
    assert kept["kid"] == "k"
    assert "d" not in kept


BAD_KEYS: list[object] = [
    {},
    [],
    "key",
    {**JWK, "kty": "XX"},
    {**JWK, "crv": "secp256k1"},
    {**JWK, "x": "AAAA"},
    {**JWK, "x": 7},
    {**JWK, "alg": "RS256"},
    {**JWK, "alg": 7},
    {**JWK, "kid": 7},
    {**JWK, "use": "enc"},
    {**RSA, "n": "AQAB"},
    {**RSA, "e": "AAAA"},
    {**RSA, "n": "%%%"},
    {**OCT, "k": ""},
    {**OCT, "alg": "none"},
    {**ED, "x": "AAAA"},
    {**ED, "crv": "X25519"},
]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_keys_that_cannot(key: object) -> None:
    assert isinstance(parse_jwks(json.dumps({"keys": [key]}).encode()), str)
    parsed = parse_jwks(json.dumps({"keys": [key, JWK]}).encode())
    assert isinstance(parsed, Keys)
    assert (len(json.loads(parsed.jwks)["keys"]), parsed.unusable) == (1, 1)


@pytest.mark.parametrize("text", [b"", b"\xff", b"[]", b"{}", b'{"keys": {}}', b'{"keys": []}', b"[" * 100_000])
def test_what_is_no_key_set(text: bytes) -> None:
    assert isinstance(parse_jwks(text), str)
    item = root(f"{{name: p, {LOCAL}}}")
    found = compiled(item, service(), secret(), keys(text=text))
    assert errors(found.statuses[item.key]) == [("JWTVerificationError", "LocalJWKSInvalid")]


def test_unusable_keys_among_others_are_told() -> None:
    item = root(f"{{name: p, {LOCAL}}}")
    status = compiled(item, service(), secret(), keys(JWK, {})).statuses[item.key]
    assert status.current_status == "valid"
    assert [warning.type for warning in status.warnings] == ["JWTVerificationError"]
