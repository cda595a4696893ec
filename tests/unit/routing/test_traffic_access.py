"""Who may come in by a TrafficPolicy: what it compiles to, and what is said of what cannot be."""

import base64
import hashlib

import pytest

from isoline.objects import Object
from isoline.routing import ir
from unit.routing.support import objects, root
from unit.routing.test_traffic_policies import ROUTES, A, B, one, policy, said, site, status

SHA = base64.b64encode(hashlib.sha1(b"secret", usedforsecurity=False).digest()).decode()
LOGIN = (
    "oidc: {authorizationEndpoint: 'https://login.example.com/authorize', "
    "tokenEndpoint: 'https://login.example.com:8443/token', clientID: studio, "
    "clientSecret: {secretName: s, key: client-secret}"
)


def stored(data: str, kind: str = "Opaque") -> Object:
    (item,) = objects(
        f"""\
        apiVersion: v1
        kind: Secret
        metadata: {{name: s, namespace: default}}
        type: {kind}
        stringData: {data}
        """
    )
    return item


def test_keys_are_the_entries_of_a_secret() -> None:
    wanted = policy("apiKeys: {secretName: s, header: X-Key, query: key, clientHeader: X-Client}")
    found = site(*one(), wanted, stored('{bob: "k2\\n", alice: k1}')).traffic
    assert found == ir.Traffic(
        api_keys=ir.ApiKeys(
            clients=(("alice", ir.PrivateBytes(b"k1")), ("bob", ir.PrivateBytes(b"k2"))),
            header="x-key",
            query="key",
            client_header="x-client",
        )
    )
    assert "k1" not in repr(found)


@pytest.mark.parametrize(
    ("data", "kind", "users"),
    [
        (f'{{auth: "ann:{{SHA}}{SHA}\\n\\n# two\\nbob:{{SHA}}{SHA}"}}', "Opaque", ("ann", "bob")),
        ("{username: ann, password: secret}", "kubernetes.io/basic-auth", ("ann",)),
    ],
)
def test_passwords_are_known_by_their_hash(data: str, kind: str, users: tuple[str, ...]) -> None:
    found = site(*one(), policy("basicAuth: {secretName: s, userHeader: X-User}"), stored(data, kind)).traffic
    lines = "".join(f"{user}:{{SHA}}{SHA}\n" for user in users).encode()
    assert found == ir.Traffic(basic_auth=ir.BasicAuth(users=ir.PrivateBytes(lines), user_header="x-user"))


def test_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isoline.routing.traffic.login.machine_authorities", lambda: b"trusted")
    wanted = policy(f"{LOGIN}, scopes: [email, openid], redirectPath: /back, signOutPath: /out}}")
    found = site(*one(), wanted, stored("{client-secret: s3cret}"))
    assert found.traffic is not None
    login = found.traffic.oidc
    assert login is not None
    cluster = next(each for each in found.clusters if each.name == login.cluster)
    assert cluster.dns == ir.Dns(hostname="login.example.com", port=8443)
    assert (cluster.protocol, cluster.sni) == (ir.Upstream.TLS, "login.example.com")
    assert cluster.trust == ir.Trust(authorities=b"trusted", names=("login.example.com",))
    assert (login.scopes, login.redirect_path, login.sign_out_path) == (("openid", "email"), "/back", "/out")
    assert (bytes(login.client_secret), len(login.cookie_key)) == (b"s3cret", 64)
    other = site(*one(), wanted, stored("{client-secret: another}")).traffic
    assert other is not None
    assert other.oidc is not None
    assert other.oidc.cookie_key != login.cookie_key


def test_claims() -> None:
    wanted = policy(
        "jwtClaims: {headers: [{claim: realm.roles, header: X-Roles}], "
        "allow: [{claims: [{claim: plan, values: [pro]}, {claim: team, values: [a, b]}]}]}"
    )
    assert site(*one(), wanted).traffic == ir.Traffic(
        jwt_claims=ir.Claims(
            headers=((("realm", "roles"), "x-roles"),),
            allow=(
                (ir.ClaimMatch(claim=("plan",), values=("pro",)), ir.ClaimMatch(claim=("team",), values=("a", "b"))),
            ),
        )
    )


INVALID = [
    ("apiKeys: {secretName: s, header: 'a b'}", "apiKeys.header"),
    ("apiKeys: {secretName: s, header: ''}", "apiKeys.header"),
    ("apiKeys: {secretName: s, clientHeader: 'a b'}", "apiKeys.clientHeader"),
    ("basicAuth: {secretName: s, userHeader: 'a b'}", "basicAuth.userHeader"),
    (f"{LOGIN}, scopes: [email, 'a b']}}", "oidc.scopes[1]"),
    (f"{LOGIN}, redirectPath: '/a?b'}}", "oidc.redirectPath"),
    (f"{LOGIN}, signOutPath: /oauth2/callback}}", "oidc.signOutPath"),
    (f"{LOGIN}, endSessionEndpoint: 'ftp://a'}}", "oidc.endSessionEndpoint"),
    (LOGIN.replace("https://login.example.com/authorize", "login") + "}", "oidc.authorizationEndpoint"),
    (LOGIN.replace("login.example.com:8443", "a b") + "}", "oidc.tokenEndpoint"),
    (LOGIN.replace("studio", "''") + "}", "oidc.clientID"),
    ("jwtClaims: {}", "jwtClaims"),
    ("jwtClaims: {headers: [{claim: 'a b', header: x}]}", "jwtClaims.headers[0].claim"),
    ("jwtClaims: {headers: [{claim: a, header: ':path'}]}", "jwtClaims.headers[0].header"),
    ("jwtClaims: {allow: [{claims: []}]}", "jwtClaims.allow[0].claims"),
    ("jwtClaims: {allow: [{claims: [{claim: a, values: []}]}]}", "jwtClaims.allow[0].claims[0].values"),
]


@pytest.mark.parametrize(("spec", "field"), INVALID)
def test_what_cannot_be_is_told_and_closes_its_routes(spec: str, field: str) -> None:
    wrong = policy(spec)
    world = (*one(), stored("{client-secret: x}"))
    assert said(status(wrong, *world)) == [("Accepted", "Invalid", f"spec.{field}")]
    assert [route.action for route in site(*world, wrong).http] == [ir.Respond(status=503)]


UNUSABLE = [
    ("apiKeys: {secretName: gone}", "{}", "SecretNotFound", "apiKeys.secretName"),
    ("apiKeys: {secretName: s}", "{}", "SecretInvalid", "apiKeys.secretName"),
    ("apiKeys: {secretName: s}", "{a: k, b: k}", "SecretInvalid", "apiKeys.secretName"),
    ("apiKeys: {secretName: s}", "{a: 'k k'}", "SecretInvalid", "apiKeys.secretName"),
    ("apiKeys: {secretName: s}", "{a: ''}", "SecretInvalid", "apiKeys.secretName"),
    ("basicAuth: {secretName: gone}", "{}", "SecretNotFound", "basicAuth.secretName"),
    ("basicAuth: {secretName: s}", "{}", "SecretInvalid", "basicAuth.secretName"),
    ("basicAuth: {secretName: s}", "{auth: 'ann:$2y$10$abc'}", "SecretInvalid", "basicAuth.secretName"),
    ("basicAuth: {secretName: s}", "{auth: 'ann'}", "SecretInvalid", "basicAuth.secretName"),
    ("basicAuth: {secretName: s}", "{auth: 'ann:{SHA}abc'}", "SecretInvalid", "basicAuth.secretName"),
    (
        "basicAuth: {secretName: s}",
        f'{{auth: "ann:{{SHA}}{SHA}\\nann:{{SHA}}{SHA}"}}',
        "SecretInvalid",
        "basicAuth.secretName",
    ),
    (f"{LOGIN}}}", "{}", "SecretInvalid", "oidc.clientSecret"),
    (f"{LOGIN}, caSecretName: gone}}", "{client-secret: x}", "SecretNotFound", "oidc.caSecretName"),
    (f"{LOGIN}, caSecretName: s}}", "{client-secret: x}", "SecretInvalid", "oidc.caSecretName"),
]


@pytest.mark.parametrize(("spec", "data", "reason", "field"), UNUSABLE)
def test_a_secret_that_cannot_be_used_is_told_and_closes_its_routes(
    spec: str, data: str, reason: str, field: str
) -> None:
    wrong = policy(spec)
    world = (*one(), stored(data))
    assert said(status(wrong, *world)) == [("ResolvedRefs", reason, f"spec.{field}")]
    assert [route.action for route in site(*world, wrong).http] == [ir.Respond(status=503)]


def test_a_secret_that_comes_opens_what_it_guards() -> None:
    wanted = policy("apiKeys: {secretName: s}", '{kind: HTTPProxy, name: voice, sectionName: "/x"}')
    world = (root(ROUTES), A, B, wanted)
    closed = {route.match.path.value: route.action for route in site(*world).http}
    assert closed["/x"] == ir.Respond(status=503)
    assert isinstance(closed["/"], ir.Forward)
    opened = {route.match.path.value: route.action for route in site(*world, stored("{a: k}")).http}
    assert isinstance(opened["/x"], ir.Forward)
