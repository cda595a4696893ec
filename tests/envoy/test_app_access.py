"""`access` of an App, from its manifest to what clients are answered: each way in, and several together."""

import base64
import hashlib
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp.web
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from isoline.apps import Target, expand, faults, load_catalog
from isoline.objects import Secret, Service
from isoline.objects.meta import ObjectMeta
from isoline.objects.secrets import SecretValue
from unit.apps.test_faults import app as app_of
from unit.routing.support import secret
from unit.xds.serving import Served, replica, replicas, serving
from unit.xds.support import certificate

URL = "https://a.example.com/"
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
AUTHORITY = certificate("provider", "127.0.0.1")


def jwks() -> str:
    return json.dumps({"keys": [json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))]})


def bearer(key: ec.EllipticCurvePrivateKey = KEY, **claims: object) -> dict[str, str]:
    said = {"iss": "issuer", "exp": time.time() + 600, **claims}
    return {"authorization": "Bearer " + jwt.encode(said, key, algorithm="ES256")}


def password(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


class Provider:
    """An OpenID Connect provider on HTTPS, at which every browser is logged in already, and the keys of its tokens."""

    def __init__(self, folder: Path) -> None:
        self.url = ""
        self._file = folder / "provider.pem"
        self._runner: aiohttp.web.AppRunner | None = None

    async def start(self) -> None:
        self._file.write_bytes(AUTHORITY.chain + bytes(AUTHORITY.key))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._file)
        application = aiohttp.web.Application()
        application.router.add_post("/token", self._token)
        application.router.add_get("/keys", self._keys)
        application.router.add_get("/.well-known/openid-configuration", self._configuration)
        self._runner = aiohttp.web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await aiohttp.web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        self.url = f"https://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _token(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        form = await request.post()
        if form["client_secret"] != "s3cret":
            return aiohttp.web.Response(status=401)
        token = jwt.encode({"sub": "ann", "iss": "provider"}, "k" * 32)
        return aiohttp.web.json_response(
            {"access_token": "opaque", "id_token": token, "token_type": "Bearer", "expires_in": 3600}
        )

    async def _keys(self, _request: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.Response(text=jwks(), content_type="application/json")

    async def _configuration(self, _request: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.json_response(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
            }
        )


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Provider]:
    found = Provider(tmp_path)
    await found.start()
    yield found
    await found.stop()


def opaque(name: str, **data: str | bytes) -> Secret:
    values = {key.replace("_", "."): SecretValue(v.encode() if isinstance(v, str) else v) for key, v in data.items()}
    return Secret(metadata=ObjectMeta(name=name, namespace="default"), data=values)


SECRETS = [
    secret(),
    opaque("keys", studio="6f1d2c"),
    opaque("users", auth="ann:{SHA}" + base64.b64encode(hashlib.sha1(b"long").digest()).decode()),
    opaque("jwks", jwks_json=jwks()),
    opaque("client", secret="s3cret"),
    opaque("ca", ca_crt=AUTHORITY.chain),
]


@asynccontextmanager
async def guarded(folder: Path, access: str, *, target: Target = Target.MACHINE) -> AsyncIterator[Served]:
    """An App with this `access`, and one replica that answers with its name."""
    image = "image: 'own/app:1', " if target is Target.KUBERNETES else ""
    run = f"{{{image}command: [./serve], port: 5000}}"
    given = app_of(
        f"{{run: {run}, host: a.example.com, paths: [/v1/], tls: {{secretName: tls}}, access: {{{access}}}}}"
    )
    assert faults(given, load_catalog(), target) == []
    children = expand(given, None, target)
    (port,) = (each.spec.ports[0].name for each in children if isinstance(each, Service))
    async with replicas("app") as (app,):
        slices = replica(given.metadata.name, app.port, names=(port,))
        async with serving(folder, slices, *SECRETS, *children) as served:
            yield served


async def status(served: Served, path: str = "v1/", **headers: str) -> int:
    return (await served.get(URL + path, **headers)).status_code


def cookies(answer: httpx.Response) -> dict[str, str]:
    """What a browser would send back."""
    return {"cookie": "; ".join(each.split(";")[0] for each in answer.headers.get_list("set-cookie"))}


async def logs_in(served: Served) -> dict[str, str]:
    """The way of a browser: to the provider, which sends it back, and in."""
    start = await served.answers(f"{URL}v1/", 302)
    where = urlsplit(start.headers["location"])
    assert where.path == "/authorize"
    state = parse_qs(where.query)["state"][0]
    back = await served.get(f"{URL}oauth2/callback?code=abc&state={state}", **cookies(start))
    assert (back.status_code, urlsplit(back.headers["location"]).path) == (302, "/v1/")
    return cookies(back)


def login(provider: Provider) -> str:
    return (
        f"oidc: {{authorizationEndpoint: '{provider.url}/authorize', tokenEndpoint: '{provider.url}/token', "
        "caSecretName: ca, clientID: studio, clientSecret: {secretName: client, key: secret}}"
    )


@pytest.mark.parametrize("target", Target)
async def test_a_login(tmp_path: Path, provider: Provider, target: Target) -> None:
    async with guarded(tmp_path, login(provider), target=target) as served:
        browser = await logs_in(served)
        assert await status(served, **browser) == 200
        assert await status(served) == 302
        assert await status(served, **{"sec-fetch-mode": "cors"}) == 401
        assert await status(served, "elsewhere", **browser) == 404


@pytest.mark.parametrize("target", Target)
async def test_keys_of_tokens_that_are_fetched(tmp_path: Path, provider: Provider, target: Target) -> None:
    access = f"jwt: {{issuer: issuer, jwksURL: '{provider.url}/keys', caSecretName: ca}}"
    async with guarded(tmp_path, access, target=target) as served:
        await served.answers(f"{URL}v1/", 200, **bearer())
        assert await status(served) == 401
        assert await status(served, **bearer(OTHER)) == 401
        assert await status(served, **bearer(iss="other")) == 401


async def test_keys_of_tokens_from_a_server_that_nobody_vouches_for_are_not_believed(
    tmp_path: Path, provider: Provider
) -> None:
    async with guarded(tmp_path, f"jwt: {{issuer: issuer, jwksURL: '{provider.url}/keys'}}") as served:
        await served.answers(f"{URL}v1/", 401, **bearer())
        await served.counted("ssl.fail_verify_error", 1)
        assert await status(served, **bearer()) == 401


async def test_of_all_ways_in_one_is_enough(tmp_path: Path, provider: Provider) -> None:
    ways = "apiKeys: {secretName: keys}, basic: {secretName: users}"
    tokens = "jwt: {issuer: issuer, jwks: {secretName: jwks, key: jwks.json}}"
    async with guarded(tmp_path, f"{ways}, {tokens}, {login(provider)}") as served:
        browser = await logs_in(served)
        for good in (browser, bearer(), password("ann:long"), {"authorization": "Bearer 6f1d2c"}):
            assert await status(served, **good) == 200
        for bad in (
            bearer(OTHER),
            bearer(exp=time.time() - 3600),
            {"authorization": "Bearer a.b.c"},
            {"authorization": ""},
            {"authorization": "Bearer wrong"},
            {"authorization": "anything"},
            password("ann:wrong"),
            password("eve:long"),
            # What is brought is looked at, whatever else would have done.
            {**browser, **password("ann:wrong")},
        ):
            assert await status(served, **bad) in (401, 403), bad
        # Who brings nothing is sent to log in, and scripts are told.
        assert await status(served) == 302
        assert await status(served, **{"sec-fetch-mode": "cors"}) == 401
        assert await status(served, cookie="OauthHMAC=x; OauthExpires=9999999999; BearerToken=x") == 302
        assert await status(served, "v1/?access_token=" + bearer()["authorization"].split()[1]) == 302


@pytest.mark.parametrize(
    ("ways", "good", "challenge"),
    [
        ("apiKeys: {secretName: keys, header: X-Key}, basic: {secretName: users}", {"x-key": "6f1d2c"}, "Basic"),
        (
            "apiKeys: {secretName: keys, header: X-Key}, jwt: {jwks: {secretName: jwks, key: jwks.json}}",
            {"x-key": "6f1d2c"},
            "",
        ),
        ("basic: {secretName: users}, jwt: {jwks: {secretName: jwks, key: jwks.json}}", password("ann:long"), "Basic"),
    ],
    ids=["key or password", "key or token", "password or token"],
)
async def test_of_two_ways_in_one_is_enough(tmp_path: Path, ways: str, good: dict[str, str], challenge: str) -> None:
    async with guarded(tmp_path, ways) as served:
        await served.answers(f"{URL}v1/", 200, **good)
        nothing = await served.get(f"{URL}v1/")
        assert nothing.status_code == 401
        assert nothing.headers.get("www-authenticate", "").startswith(challenge)
        second = password("ann:long") if "jwt" not in ways else bearer()
        assert await status(served, **second) == 200
        assert await status(served, **{"x-key": "wrong"}) == 401
        assert await status(served, **password("ann:wrong")) == 401
        assert await status(served, **bearer(OTHER)) == 401


async def test_a_good_token_is_not_shown_to_the_app_and_a_bad_one_is_no_key(tmp_path: Path) -> None:
    ways = "apiKeys: {secretName: keys}, jwt: {jwks: {secretName: jwks, key: jwks.json}}"
    async with guarded(tmp_path, ways) as served:
        answer = await served.answers(f"{URL}v1/headers", 200, **bearer())
        assert "authorization" not in answer.text


POLICY = """
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: web}
spec:
  virtualhost:
    fqdn: a.example.com
    tls: {secretName: tls}
    jwtProviders: [{name: one, default: true, localJWKS: {secretName: jwks, key: jwks.json}}]
  routes:
  - {conditions: [{prefix: /}], directResponsePolicy: {statusCode: 204}}
  - {conditions: [{prefix: /keys}], jwtVerificationPolicy: {disabled: true}, directResponsePolicy: {statusCode: 204}}
---
apiVersion: isoline.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: ways}
spec:
  targetRefs: [{kind: HTTPProxy, name: web}]
  apiKeys: {secretName: keys, query: key}
  anyCredential: true
---
apiVersion: isoline.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: more}
spec:
  targetRefs: [{kind: HTTPProxy, name: web, sectionName: /both}]
  basicAuth: {secretName: users}
"""


async def test_a_token_lets_nobody_in_where_nobody_looks_at_it(tmp_path: Path) -> None:
    async with serving(tmp_path, POLICY, *SECRETS) as served:
        await served.answers(URL, 204, **bearer())
        assert await status(served, "?key=6f1d2c") == 204
        assert await status(served, "?key=wrong") == 401
        assert await status(served, "") == 401
        assert await status(served, "keys?key=6f1d2c") == 204
        for token in (bearer(), bearer(OTHER), {"authorization": "Bearer a.b.c"}):
            assert await status(served, "keys", **token) == 401


async def test_what_another_policy_demands_is_demanded_besides(tmp_path: Path) -> None:
    both = POLICY.replace("prefix: /keys}], jwtVerificationPolicy: {disabled: true}", "prefix: /both}]")
    both = both.replace("query: key", "header: X-Key")
    key = {"x-key": "6f1d2c"}
    async with serving(tmp_path, both, *SECRETS) as served:
        await served.answers(URL, 204, **bearer())
        assert await status(served, "both", **bearer()) == 401
        assert await status(served, "both", **key) == 401
        assert await status(served, "both", **key, **password("ann:long")) == 204
