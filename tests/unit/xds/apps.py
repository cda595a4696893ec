"""An app for tests that says what it got; `/slow` takes a second, and the one called "sick" fails its checks."""

import asyncio
from dataclasses import dataclass

import aiohttp
import aiohttp.web

_NAME = aiohttp.web.AppKey("name", str)


@dataclass
class App:
    """An app that says what it got."""

    port: int
    name: str


async def _echo(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
    if request.headers.get("upgrade", "").lower() == "websocket":
        return await _echo_messages(request)
    if request.path == "/healthz":
        return aiohttp.web.Response(status=503 if request.app[_NAME] == "sick" else 200)
    if request.path == "/slow":
        await asyncio.sleep(1)
    got: dict[str, object] = {
        "app": request.app[_NAME],
        "path": request.path_qs,
        "headers": {name.lower(): value for name, value in request.headers.items()},
    }
    got["length"] = len(await request.read())
    return aiohttp.web.json_response(got)


async def _echo_messages(request: aiohttp.web.Request) -> aiohttp.web.WebSocketResponse:
    answer = aiohttp.web.WebSocketResponse()
    await answer.prepare(request)
    async for message in answer:
        if message.type is aiohttp.WSMsgType.TEXT:
            await answer.send_str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            await answer.send_bytes(message.data)
    return answer


async def start(name: str) -> tuple[App, aiohttp.web.AppRunner]:
    """Starts an app on a free port; the runner ends it."""
    application = aiohttp.web.Application(client_max_size=64 * 1024 * 1024)
    application[_NAME] = name
    application.router.add_route("*", "/{path:.*}", _echo)
    runner = aiohttp.web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    return App(runner.addresses[0][1], name), runner
