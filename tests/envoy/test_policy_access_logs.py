"""Which log a request goes to, and what it says there."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2

from isoline.routing import ir
from unit.xds.edge import Edge, free_port
from unit.xds.support import prefix, respond

HOST = "a.example.com"
URL = f"http://{HOST}/"
_MESSAGES: Any = logs_service_pb2  # the names of a generated module, which come as it is imported


class Collector:
    """Keeps the attributes of every line that it gets."""

    def __init__(self) -> None:
        self.lines: list[dict[str, str]] = []

    async def export(self, request: Any, _context: object) -> Any:
        for resource in request.resource_logs:
            # The protocol of this library is older, and calls them so.
            for scope in resource.instrumentation_library_logs:
                for record in scope.logs:
                    self.lines.append({each.key: each.value.string_value for each in record.attributes})
        return _MESSAGES.ExportLogsServiceResponse()

    def handler(self) -> grpc.GenericRpcHandler:
        export = grpc.unary_unary_rpc_method_handler(
            self.export,
            request_deserializer=_MESSAGES.ExportLogsServiceRequest.FromString,
            response_serializer=_MESSAGES.ExportLogsServiceResponse.SerializeToString,
        )
        service = "opentelemetry.proto.collector.logs.v1.LogsService"
        return grpc.method_handlers_generic_handler(service, {"Export": export})


@pytest.fixture
async def collector() -> AsyncIterator[tuple[Collector, int]]:
    port = free_port()
    server, found = grpc.aio.server(), Collector()
    server.add_generic_rpc_handlers((found.handler(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    yield found, port
    await server.stop(None)


async def test_a_request_goes_to_the_log_of_its_site(
    edge: Edge, tmp_path: Path, collector: tuple[Collector, int]
) -> None:
    paths = {name: tmp_path / f"{name}.log" for name in ("own", "short")}
    found, port = collector
    logs = (
        ir.NamedLog(name="short", log=ir.AccessLog(path=str(paths["short"]), json=False, fields=("method", "path"))),
        ir.NamedLog(name="far", log=None, collector=ir.Dns(hostname="127.0.0.1", port=port), fields=("path", "status")),
    )
    own = ir.AccessLog(path=str(paths["own"]), fields=("path", "host"))
    edge.world.gateway = msgspec.structs.replace(edge.world.gateway, access_log=own, named_logs=logs)
    edge.world.listen()
    choices = {
        "plain": None,
        "short": ir.LogChoice(name="short"),
        "far": ir.LogChoice(name="far"),
        "none": ir.LogChoice(name="", percent=0),
        "some": ir.LogChoice(name="", percent=50),
    }
    routes = [
        msgspec.structs.replace(
            respond("", match=prefix(f"/{name}"), name=name),
            traffic=None if choice is None else ir.Traffic(access_log=choice),
        )
        for name, choice in choices.items()
    ]
    edge.world.put(ir.Site(host=HOST, http=tuple(routes)))
    await edge.answers(f"{URL}none")
    async with edge.client() as client:
        for path in (*choices, *["some"] * 99):
            await edge.send(client, URL + path)

    async def written() -> bool:
        return bool(found.lines) and paths["own"].exists() and paths["own"].read_text().count("some") > 20

    await edge.eventually(written)
    await asyncio.sleep(0)
    lines = [json.loads(line) for line in paths["own"].read_text().splitlines()]
    assert {line["path"] for line in lines if line["host"] == HOST} == {"/plain", "/some"}
    assert sum(line["path"] == "/some" for line in lines) < 80
    assert all(set(line) == {"path", "host"} for line in lines)
    assert paths["short"].read_text() == "GET /short\n"
    assert found.lines == [{"path": "/far", "status": "200"}]
    assert edge.rejected == []
