"""A kind is followed again as soon as the server has it. The API server here is a small fake of our own."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from isoline.cluster.kubernetes.client import Client
from isoline.cluster.kubernetes.connection import Connection
from isoline.cluster.kubernetes.identities import Fixed
from isoline.cluster.kubernetes.reflector import Reflector
from isoline.objects import Key, Object
from isoline.objects.registry import BY_NAME


class Heard:
    """What a reflector tells."""

    def __init__(self) -> None:
        self.keys: list[Key] = []

    def changed(self, put: Sequence[Object], gone: Sequence[Key], *, version: str) -> None:
        self.keys += [each.key for each in put]

    def undecodable(self, key: Key, text: str) -> None:
        raise AssertionError(text)

    def decodable(self, key: Key) -> None:
        raise AssertionError(key)


async def test_a_server_that_starts_is_asked_again_sooner_than_it_asks_for() -> None:
    """It knows its custom kinds a moment after it answers, and says 503 and "in five seconds" until then."""
    asked = 0

    async def services(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        if asked < 3:
            status = {"kind": "Status", "reason": "ServiceUnavailable", "message": "please retry", "code": 503}
            return web.json_response(status, status=503, headers={"Retry-After": "3600"})
        metadata = {"name": "app", "namespace": "default", "resourceVersion": "1"}
        ended = {"resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}}
        events = [("ADDED", {"metadata": metadata}), ("BOOKMARK", {"metadata": ended})]
        lines = [web.json_response({"type": kind, "object": item}).text for kind, item in events]
        return web.Response(text="\n".join(filter(None, lines)) + "\n")

    application = web.Application()
    application.router.add_get("/api/v1/services", services)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = Client(Connection(server=f"http://127.0.0.1:{runner.addresses[0][1]}", identity=Fixed()))
    heard = Heard()
    reflector = Reflector(client, BY_NAME["Service"], heard)
    following = asyncio.create_task(reflector.run())
    await reflector.settled.wait()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await client.close()
    await runner.cleanup()
    assert heard.keys == [Key("Service", "default", "app")]
