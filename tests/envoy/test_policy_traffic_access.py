"""Who may come in by a TrafficPolicy, as clients see it."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import aiohttp.web
import httpx
import jwt
import pytest

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import TO_HTTPS, certificate, cluster, endpoints, forward, prefix, respond

HOST = "a.example.com"
URL = f"http://{HOST}/"


def put(edge: Edge, app: App, traffic: ir.Traffic) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    found = cluster("app")
    edge.world.put(ir.Site(host=HOST, http=(forward(found.name),), clusters=(found,), traffic=traffic))


async def test_who_brings_a_key_comes_in_and_the_app_is_told_who(edge: Edge, app: App) -> None:
    keys = ir.ApiKeys(
        clients=(("alice", ir.PrivateBytes(b"k1")), ("bob", ir.PrivateBytes(b"k2"))),
        header="authorization",
        query="key",
        client_header="x-client",
    )
    put(edge, app, ir.Traffic(api_keys=keys))
    await edge.answers(URL, 401)
    for headers, url, client in (
        ({"authorization": "Bearer k1"}, URL, "alice"),
        ({"authorization": "k2"}, URL, "bob"),
        ({}, f"{URL}?key=k2&x=1", "bob"),
    ):
        answer = await edge.get(url, headers={**headers, "x-client": "mallory"})
        assert answer.status_code == 200
        got = answer.json()
        assert got["headers"]["x-client"] == client
        assert "authorization" not in got["headers"]
        assert "k2" not in got["path"]
    for wrong in ({"authorization": "Bearer k3"}, {"authorization": ""}):
        assert (await edge.get(URL, headers=wrong)).status_code == 401
    assert edge.rejected == []


async def test_who_knows_a_password_comes_in(edge: Edge, app: App) -> None:
    digest = base64.b64encode(hashlib.sha1(b"secret", usedforsecurity=False).digest()).decode()
    users = ir.PrivateBytes(f"ann:{{SHA}}{digest}\nbob:{{SHA}}{digest}\n".encode())
    put(edge, app, ir.Traffic(basic_auth=ir.BasicAuth(users=users, user_header="x-user")))
    asked = await edge.answers(URL, 401)
    assert asked.headers["www-authenticate"].startswith("Basic realm=")

    def credentials(text: str) -> dict[str, str]:
        return {"authorization": "Basic " + base64.b64encode(text.encode()).decode(), "x-user": "mallory"}

    answer = await edge.get(URL, headers=credentials("bob:secret"))
    assert answer.json()["headers"]["x-user"] == "bob"
    for wrong in ("bob:wrong", "carol:secret", "bob"):
        assert (await edge.get(URL, headers=credentials(wrong))).status_code == 401
    assert edge.rejected == []


class Provider:
    """An OpenID Connect provider whose every browser is logged in already."""

    def __init__(self) -> None:
        self.port = 0
        self.forms: list[dict[str, str]] = []

    async def token(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        if form["client_secret"] != "s3cret":
            return aiohttp.web.Response(status=401)
        token = jwt.encode({"sub": "ann", "iss": "provider"}, "k" * 32)
        return aiohttp.web.json_response(
            {"access_token": "opaque", "id_token": token, "token_type": "Bearer", "expires_in": 3600}
        )


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    found = Provider()
    application = aiohttp.web.Application()
    application.router.add_post("/token", found.token)
    runner = aiohttp.web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


def login(cluster_name: str, provider: Provider, secret: bytes) -> ir.Login:
    return ir.Login(
        authorization_endpoint="https://login.example.com/authorize",
        token_endpoint=f"http://127.0.0.1:{provider.port}/token",
        end_session_endpoint="https://login.example.com/end",
        cluster=cluster_name,
        client_id="studio",
        client_secret=ir.PrivateBytes(secret),
        cookie_key=ir.PrivateBytes(b"0" * 64),
        scopes=("openid", "email"),
        redirect_path="/login/back",
        sign_out_path="/login/end",
        forward_access_token=True,
    )


def cookies(answer: httpx.Response) -> dict[str, str]:
    """What a browser would send back."""
    return {"cookie": "; ".join(each.split(";")[0] for each in answer.headers.get_list("set-cookie"))}


async def test_browsers_log_in(edge: Edge, app: App, provider: Provider) -> None:
    tokens = ir.Cluster(name="login/1", endpoints="", dns=ir.Dns(hostname="127.0.0.1", port=provider.port))
    found = cluster("app")
    edge.world.put_endpoints(endpoints("app", app.port))
    traffic = ir.Traffic(oidc=login(tokens.name, provider, b"s3cret"))
    edge.world.put(ir.Site(host=HOST, http=(forward(found.name),), clusters=(found, tokens), traffic=traffic))
    start = await edge.answers(f"{URL}app?x=1", 302)
    where = urlsplit(start.headers["location"])
    asked = {name: values[0] for name, values in parse_qs(where.query).items()}
    assert (where.netloc, where.path) == ("login.example.com", "/authorize")
    assert (asked["client_id"], asked["scope"]) == ("studio", "openid email")
    assert asked["redirect_uri"] == f"http://{HOST}/login/back"
    fetched = await edge.get(URL, headers={"sec-fetch-mode": "cors"})
    assert fetched.status_code == 401

    back = await edge.get(f"{URL}login/back?code=abc&state={asked['state']}", headers=cookies(start))
    assert (back.status_code, back.headers["location"]) == (302, f"{URL}app?x=1")
    assert provider.forms[0]["code"] == "abc"
    assert all("SameSite=Lax" in each for each in back.headers.get_list("set-cookie") if "=deleted" not in each)
    answer = await edge.get(f"{URL}app", headers=cookies(back))
    assert answer.json()["headers"]["authorization"] == "Bearer opaque"
    forged = await edge.get(f"{URL}app", headers={"cookie": "OauthHMAC=x; OauthExpires=9999999999; BearerToken=x"})
    assert forged.status_code == 302
    out = await edge.get(f"{URL}login/end", headers=cookies(back))
    assert out.headers["location"].startswith("https://login.example.com/end?")
    assert edge.rejected == []


async def test_a_login_goes_on_by_a_new_secret(edge: Edge, app: App, provider: Provider) -> None:
    tokens = ir.Cluster(name="login/1", endpoints="", dns=ir.Dns(hostname="127.0.0.1", port=provider.port))
    found = cluster("app")
    edge.world.put_endpoints(endpoints("app", app.port))
    for secret, status in ((b"wrong", 401), (b"s3cret", 302)):
        traffic = ir.Traffic(oidc=login(tokens.name, provider, secret))
        edge.world.put(ir.Site(host=HOST, http=(forward(found.name),), clusters=(found, tokens), traffic=traffic))

        async def logs_in(status: int = status) -> bool:
            start = await edge.get(f"{URL}app")
            if start.status_code != 302:
                return False
            state = parse_qs(urlsplit(start.headers["location"]).query)["state"][0]
            back = await edge.get(f"{URL}login/back?code=abc&state={state}", headers=cookies(start))
            return back.status_code == status

        await edge.eventually(logs_in)
    assert edge.rejected == []


async def test_who_is_sent_to_https_is_asked_for_nothing_before(edge: Edge) -> None:
    traffic = ir.Traffic(api_keys=ir.ApiKeys(clients=(("a", ir.PrivateBytes(b"k")),), header="x-key"))
    routes = (respond("open", match=prefix("/open")), TO_HTTPS)
    edge.world.put_certificate(certificate("default/a", HOST), [HOST])
    tls = ir.Tls(certificate="default/a")
    edge.world.put(ir.Site(host=HOST, http=routes, https=(respond("safe"),), tls=tls, traffic=traffic))
    await edge.answers(f"{URL}open", 401)
    assert (await edge.get(URL)).status_code == 301
    await edge.answers(f"https://{HOST}/", 401)
    await edge.answers(f"https://{HOST}/", 200, headers={"x-key": "k"})


KEY = "0" * 32


def token(**claims: object) -> dict[str, str]:
    return {"authorization": "Bearer " + jwt.encode(claims, KEY, headers={"kid": "1"})}


async def test_claims_decide_and_are_told(edge: Edge, app: App) -> None:
    secret = base64.urlsafe_b64encode(KEY.encode()).rstrip(b"=").decode()
    jwks = json.dumps({"keys": [{"kty": "oct", "kid": "1", "k": secret}]}).encode()
    provider = ir.TokenProvider(name="p", keys=ir.LocalKeys(jwks=ir.PrivateBytes(jwks)))
    claims = ir.Claims(
        headers=((("sub",), "x-user"), (("realm", "roles"), "x-roles")),
        allow=(
            (ir.ClaimMatch(claim=("realm", "roles"), values=("admin", "owner")),),
            (ir.ClaimMatch(claim=("plan",), values=("pro",)), ir.ClaimMatch(claim=("team",), values=("a",))),
        ),
    )
    found = cluster("app")
    edge.world.put_endpoints(endpoints("app", app.port))
    edge.world.put(
        ir.Site(
            host=HOST,
            http=(forward(found.name),),
            clusters=(found,),
            tokens=ir.Tokens(providers=(provider,), default="p"),
            traffic=ir.Traffic(jwt_claims=claims),
        )
    )
    await edge.answers(URL, 401)
    answer = await edge.get(URL, headers={**token(sub="ann", realm={"roles": ["x", "owner"]}), "x-roles": "forged"})
    got = answer.json()["headers"]
    assert (got["x-user"], json.loads(got["x-roles"])) == ("ann", ["x", "owner"])
    answer = await edge.get(URL, headers={**token(plan="pro", team="a"), "x-user": "forged"})
    assert answer.status_code == 200
    assert "x-user" not in answer.json()["headers"]
    for refused in (token(sub="ann"), token(plan="pro"), token(realm={"roles": []}), token(realm="admin")):
        assert (await edge.get(URL, headers=refused)).status_code == 403
    assert edge.rejected == []


async def test_rules_of_claims_are_closed_where_there_are_no_tokens(edge: Edge) -> None:
    claims = ir.Claims(allow=((ir.ClaimMatch(claim=("sub",), values=("ann",)),),))
    edge.world.put(ir.Site(host=HOST, http=(respond("x"),), traffic=ir.Traffic(jwt_claims=claims)))
    await edge.answers(URL, 403, headers=token(sub="ann"))
