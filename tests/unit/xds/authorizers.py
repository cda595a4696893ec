"""Servers that are asked about requests: one that speaks gRPC, one that speaks HTTP. Both remember what they heard."""

from dataclasses import dataclass, field
from typing import Any

import aiohttp.web
import grpc
from envoy.service.auth.v3 import external_auth_pb2 as auth

_METHOD = "/envoy.service.auth.v3.Authorization/Check"
_PERMISSION_DENIED = 7


@dataclass
class Authorizer:
    """Refuses what says `x-ask: no`, and tells the app who came."""

    port: int = 0
    heard: list[Any] = field(default_factory=list)
    authorities: list[str] = field(default_factory=list)

    def contexts(self) -> list[dict[str, str]]:
        return [dict(each.attributes.context_extensions) for each in self.heard]


class _Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def service(self, handler_call_details: Any) -> Any:
        if handler_call_details.method != _METHOD:
            return None
        return grpc.unary_unary_rpc_method_handler(
            self._check, auth.CheckRequest.FromString, auth.CheckResponse.SerializeToString
        )

    async def _check(self, request: Any, _context: Any) -> Any:
        self._authorizer.heard.append(request)
        answer = auth.CheckResponse()
        asked = request.attributes.request.http
        if asked.headers.get("x-ask") == "no":
            answer.status.code = _PERMISSION_DENIED
            answer.denied_response.status.code = 418
            answer.denied_response.body = "not you"
        else:
            answer.ok_response.headers.add().header.key = "x-user"
            answer.ok_response.headers[0].header.value = "bob"
        return answer


async def start_grpc(authorizer: Authorizer) -> grpc.aio.Server:
    """Starts a gRPC server on a free port."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Handler(authorizer),))
    authorizer.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server


async def start_http(authorizer: Authorizer) -> aiohttp.web.AppRunner:
    """Starts an HTTP server on a free port."""

    async def check(request: aiohttp.web.Request) -> aiohttp.web.Response:
        authorizer.heard.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        refused = request.headers.get("x-ask") == "no"
        headers = {"x-user": "bob", "x-secret": "1"}
        return aiohttp.web.Response(status=418 if refused else 200, text="not you" if refused else "", headers=headers)

    application = aiohttp.web.Application()
    application.router.add_route("*", "/{path:.*}", check)
    runner = aiohttp.web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    authorizer.port = runner.addresses[0][1]
    return runner
