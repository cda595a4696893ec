"""Delta ADS over gRPC: any number of Envoys, fed from one cache. Knows no Kubernetes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
import grpc.aio
import structlog
from envoy.service.discovery.v3 import discovery_pb2

from isoline.xds import secrets, sockets, types
from isoline.xds.cache import Cache
from isoline.xds.patience import Late
from isoline.xds.resources import Name
from isoline.xds.streams import Request, Response, Stream

_log = structlog.get_logger(__name__)

_SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
_METHOD = "DeltaAggregatedResources"
_OPTIONS = [
    # After a reconnect Envoy names everything it holds in one message.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),
    # By default a quiet stream that is asked for more than every five minutes is cut off; Envoy asks every 30 seconds.
    ("grpc.http2.max_ping_strikes", 0),
]


@dataclass
class Stats:
    """Counters since the start."""

    streams: int = 0
    pushes: int = 0
    resources: int = 0
    removals: int = 0
    acks: int = 0
    nacks: int = 0


@dataclass(eq=False)
class StreamInfo:
    """One Envoy that is connected."""

    stream: Stream = field(repr=False)
    wake: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    node: str = ""
    """The id from its bootstrap; empty until its first request."""
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    sent: int = 0
    acks: int = 0
    nacks: int = 0
    fresh: bool = True
    """Whether it came with nothing."""

    @property
    def is_fed(self) -> bool:
        """Whether it has answered all that it asked for, listeners included."""
        wanted = self.stream.subscriptions
        pending = any(each.pending for each in wanted.values())
        return types.LISTENER in wanted and not pending and self.sent == self.acks + self.nacks

    @property
    def held(self) -> dict[str, int]:
        """How many resources of each type it has accepted."""
        return {type_url: len(each.held) for type_url, each in self.stream.subscriptions.items()}


class Server:
    """Serves `cache` at `address`, a gRPC address such as `unix:/run/isoline/xds.sock` or `127.0.0.1:8001`.

    Without `credentials` it serves whoever reaches the address. What was only kept by an earlier run may be older than
    what an Envoy holds, so it goes to those that hold nothing.

    `on_rejected` is called once for every version that an Envoy refuses, with Envoy's words; `on_late` by each stream
    that sent something without what it needs, with what that was.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        address: str,
        on_rejected: Callable[[Name, str], None],
        credentials: grpc.ServerCredentials | None = None,
        on_late: Late = lambda _name, _needs: None,
    ) -> None:
        self.stats = Stats()
        self._cache = cache
        self._address = address
        self._credentials = credentials
        self._on_rejected = on_rejected
        self._on_late = on_late
        self._streams: list[StreamInfo] = []
        self._server: grpc.aio.Server | None = None
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def streams(self) -> list[StreamInfo]:
        """The Envoys that are connected, the oldest first."""
        return list(self._streams)

    @property
    def serves_kept(self) -> bool:
        """Whether what is served was kept by an earlier run."""
        return self._cache.restored

    async def start(self) -> None:
        """Listens. Raises `sockets.AddressError` if the address is taken or cannot be used."""
        server = grpc.aio.server(options=_OPTIONS)
        handler = grpc.stream_stream_rpc_method_handler(
            self._serve,
            request_deserializer=discovery_pb2.DeltaDiscoveryRequest.FromString,
            response_serializer=discovery_pb2.DeltaDiscoveryResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: handler}),))
        try:
            sockets.bind(server, self._address, self._credentials)
        except sockets.AddressError:
            # gRPC does not let go of a server that was never started or stopped.
            await server.stop(grace=None)
            raise
        self._unsubscribe = self._cache.on_change(self._changed)
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Ends every stream, at once: Envoy keeps what it has and comes back."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._server is not None:
            await self._server.stop(grace=None)
        self._unsubscribe = self._server = None

    def _changed(self, names: Collection[Name]) -> None:
        for info in self._streams:
            info.stream.changed(names)
            info.wake.set()

    async def _serve(self, requests: AsyncIterator[Any], context: "grpc.aio.ServicerContext[Any, Any]") -> None:
        clock = asyncio.get_running_loop().time
        stream = Stream(self._cache, clock=clock, on_rejected=self._on_rejected, on_late=self._on_late)
        info = StreamInfo(stream)
        self._streams.append(info)
        self.stats.streams += 1
        reader = asyncio.create_task(self._read(requests, info))
        reader.add_done_callback(lambda _: info.wake.set())
        try:
            while not reader.done():
                await _woken(info, clock)
                if self._cache.ready or (self._cache.restored and info.fresh):
                    await self._write(context, info)
            await reader
        finally:
            self._streams.remove(info)
            reader.cancel()
            _log.info("envoy disconnected", node=info.node)

    async def _read(self, requests: AsyncIterator[Any], info: StreamInfo) -> None:
        async for message in requests:
            if not info.node:
                info.node = message.node.id
                _log.info("envoy connected", node=info.node)
            request = _request(message)
            info.fresh = info.fresh and not request.initial_versions
            if request.error is not None:
                info.nacks += 1
                self.stats.nacks += 1
            elif request.nonce:
                info.acks += 1
                self.stats.acks += 1
            info.stream.receive(request)
            info.wake.set()

    async def _write(self, context: "grpc.aio.ServicerContext[Any, Any]", info: StreamInfo) -> None:
        while (response := info.stream.next_response()) is not None:
            info.sent += 1
            self.stats.pushes += 1
            self.stats.resources += len(response.resources)
            self.stats.removals += len(response.removed)
            await context.write(_message(response))


async def _woken(info: StreamInfo, clock: Callable[[], float]) -> None:
    """Returns when there may be something to send."""
    deadline = info.stream.deadline()
    if deadline is None:
        await info.wake.wait()
    else:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, deadline - clock())):
                await info.wake.wait()
    info.wake.clear()


def _request(message: Any) -> Request:
    return Request(
        type_url=message.type_url,
        subscribe=message.resource_names_subscribe,
        unsubscribe=message.resource_names_unsubscribe,
        initial_versions=message.initial_resource_versions,
        nonce=message.response_nonce,
        error=message.error_detail.message if message.HasField("error_detail") else None,
    )


def _message(response: Response) -> Any:
    message = discovery_pb2.DeltaDiscoveryResponse(
        type_url=response.type_url, nonce=response.nonce, removed_resources=response.removed
    )
    named = response.type_url == types.SECRET
    for name, resource in response.resources:
        entry = message.resources.add(name=name, version=resource.version)
        entry.resource.type_url = response.type_url
        entry.resource.value = secrets.named(resource.body, name) if named else resource.body
    return message
