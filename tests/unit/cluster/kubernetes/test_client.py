"""The client proves who it is, also after its proof has changed. The API server here is a small fake of our own."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from isoline.cluster.kubernetes.client import Client, environment_proxy
from isoline.cluster.kubernetes.connection import ClientCertificate, Connection, Trust
from isoline.cluster.kubernetes.errors import APIError, CredentialsError, UnreachableError
from isoline.cluster.kubernetes.identities import Fixed, TokenFile
from isoline.controllers.xds_certificates import AUTHORITY, CONTROL_PLANE, ENVOY, renewals

Serve = Callable[[web.Application, ssl.SSLContext | None], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    runners: list[web.AppRunner] = []

    async def start(app: web.Application, context: ssl.SSLContext | None = None) -> str:
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        port = runner.addresses[0][1]
        return f"http{'s' if context else ''}://127.0.0.1:{port}"

    yield start
    for runner in runners:
        await runner.cleanup()


def app(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.Application:
    application = web.Application()
    application.router.add_get("/version", handler)
    return application


async def test_a_refused_token_is_read_again_and_tried_once_more(serve: Serve, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")
    asked: list[str] = []

    async def version(request: web.Request) -> web.Response:
        asked.append(request.headers["Authorization"])
        return web.json_response({}, status=200 if asked[-1] == "Bearer new" else 401)

    identity = TokenFile(token)
    await identity.headers()
    token.write_text("new")
    client = Client(Connection(server=await serve(app(version), None), identity=identity))
    await client.send("GET", "/version")
    assert asked == ["Bearer old", "Bearer new"]
    token.write_text("wrong")
    identity.rejected()
    with pytest.raises(APIError) as refused:
        await client.send("GET", "/version")
    assert (refused.value.status, len(asked)) == (401, 4)
    await client.close()


async def test_a_client_certificate_is_shown_and_read_again_when_its_file_changes(serve: Serve, tmp_path: Path) -> None:
    made = renewals({}, namespace="x", now=datetime.now(UTC))
    for name, parts in made.items():
        (tmp_path / name).mkdir()
        for part, content in parts.items():
            (tmp_path / name / part).write_bytes(content)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / ENVOY / "ca.crt"))
    context.load_cert_chain(tmp_path / CONTROL_PLANE / "tls.crt", tmp_path / CONTROL_PLANE / "tls.key")
    context.verify_mode = ssl.CERT_REQUIRED

    async def version(request: web.Request) -> web.Response:
        assert request.transport is not None
        return web.json_response({"serial": request.transport.get_extra_info("peercert")["serialNumber"]})

    folder = tmp_path / ENVOY
    connection = Connection(
        server=await serve(app(version), context),
        server_name="isoline",
        trust=Trust(authorities=folder / "ca.crt"),
        identity=Fixed(certificate=ClientCertificate(folder / "tls.crt", folder / "tls.key")),
    )
    client = Client(connection)
    first = await client.send("GET", "/version")
    renewed = renewals({**made, ENVOY: None}, namespace="x", now=datetime.now(UTC))[ENVOY]
    for part, content in renewed.items():
        (folder / part).write_bytes(content)
    assert await client.send("GET", "/version") != first
    await client.close()
    in_memory = ClientCertificate(renewed["tls.crt"], renewed["tls.key"])
    for identity, refused in ((Fixed(certificate=in_memory), False), (Fixed(), True)):
        client = Client(replace(connection, identity=identity))
        if refused:
            with pytest.raises(UnreachableError):
                await client.send("GET", "/version")
        else:
            await client.send("GET", "/version")
        await client.close()
    assert AUTHORITY in made


async def test_an_answer_that_is_an_error_carries_kubernetes_words(serve: Serve) -> None:
    async def version(_: web.Request) -> web.Response:
        status = {"kind": "Status", "reason": "TooManyRequests", "message": "slow down", "code": 429}
        return web.json_response(status, status=429, headers={"Retry-After": "3"})

    client = Client(Connection(server=await serve(app(version), None), identity=Fixed()))
    with pytest.raises(APIError, match="slow down") as refused:
        await client.send("GET", "/version")
    assert (refused.value.reason, refused.value.retry_after) == ("TooManyRequests", 3.0)
    await client.close()


async def test_files_that_cannot_be_used_are_told_by_name(tmp_path: Path) -> None:
    connection = Connection(server="https://127.0.0.1:1", identity=Fixed(), trust=Trust(authorities=tmp_path / "none"))
    client = Client(connection)
    with pytest.raises(CredentialsError, match="none: the CA cannot be read"):
        await client.send("GET", "/version")
    await client.close()
    nobody = Client(replace(connection, server="http://127.0.0.1:1"))
    with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:1"):
        await nobody.send("GET", "/version")
    await nobody.close()


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"https_proxy": "http://proxy:3128"}, "http://proxy:3128"),
        ({"https_proxy": "http://proxy:3128", "no_proxy": ".example"}, None),
        ({"http_proxy": "http://proxy:3128"}, None),
    ],
)
def test_a_proxy_of_the_environment_counts(
    variables: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        for spelt in (name, name.upper()):
            monkeypatch.delenv(spelt, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy("https://api.example:6443") == proxy
