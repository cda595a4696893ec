"""What a TrafficPolicy asks for, as clients see it."""

from collections.abc import AsyncIterator

from isoline.routing import ir
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import cluster, endpoints, forward

HOST = "a.example.com"
URL = f"http://{HOST}/"


def put(edge: Edge, traffic: ir.Traffic | None, *routes: ir.Route, host: str = HOST) -> None:
    app = cluster("app")
    edge.world.put(
        ir.Site(host=host, http=routes or (forward(app.name),), clusters=(app,), traffic=traffic),
    )


async def post(edge: Edge, content: bytes | AsyncIterator[bytes], path: str = "/") -> tuple[int, str]:
    async with edge.client() as client:
        url = f"http://127.0.0.1:{edge.http_port}{path}"
        answer = await client.post(url, headers={"host": HOST}, content=content)
    return answer.status_code, answer.text


async def test_a_body_that_is_too_large_is_told_so_at_any_way_to_send_it(edge: Edge, app: App) -> None:
    edge.world.put_endpoints(endpoints("app", app.port))
    put(edge, ir.Traffic(request_body=1000))
    await edge.answers(URL)

    async def pieces(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 100

    assert (await post(edge, b"x" * 1000))[0] == 200
    assert (await post(edge, pieces(10)))[0] == 200
    for body in (b"x" * 1001, pieces(20)):
        status, text = await post(edge, body)
        assert (status, "larger than 1000 bytes" in text) == (413, True)
    assert edge.rejected == []
