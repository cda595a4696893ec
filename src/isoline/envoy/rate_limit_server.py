"""A rate-limit service: Envoy asks it about requests, by `envoy.service.ratelimit.v3`.

It counts in fixed windows, each of which begins with the first request in it. With Redis several services share what
they count.
"""

import os
import time
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import structlog
from envoy.service.ratelimit.v3 import rls_pb2
from limits import (
    RateLimitItem,
    RateLimitItemPerDay,
    RateLimitItemPerHour,
    RateLimitItemPerMinute,
    RateLimitItemPerMonth,
    RateLimitItemPerSecond,
    RateLimitItemPerYear,
)
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import ConfigurationError
from limits.storage import storage_from_string

from isoline.envoy.rate_limits import Limit, Rules, Unit

_log = structlog.get_logger(__name__)
_SERVICE = "envoy.service.ratelimit.v3.RateLimitService"
_METHOD = "ShouldRateLimit"
_OPTIONS = [("grpc.so_reuseport", 0)]
_MEMORY = "memory"
_REDIS_SECONDS = 1.0
"""Until a Redis that does not answer counts as away."""
_ONLY_US = 0o177
_OK, _OVER_LIMIT = rls_pb2.RateLimitResponse.OK, rls_pb2.RateLimitResponse.OVER_LIMIT
_Status = rls_pb2.RateLimitResponse.DescriptorStatus
_Unit = rls_pb2.RateLimitResponse.RateLimit.Unit
_ITEMS: dict[Unit, type[RateLimitItem]] = {
    "second": RateLimitItemPerSecond,
    "minute": RateLimitItemPerMinute,
    "hour": RateLimitItemPerHour,
    "day": RateLimitItemPerDay,
    "month": RateLimitItemPerMonth,
    "year": RateLimitItemPerYear,
}


class RateLimitServerError(Exception):
    """The service cannot be; the message says why and what to do."""


def storage_of(address: str) -> Storage:
    """Return where is counted: `memory`, or `redis://host:port/number`. Raises RateLimitServerError."""
    if address == _MEMORY:
        return MemoryStorage()
    try:
        storage = storage_from_string(
            f"async+{address}",
            implementation="redispy",
            wrap_exceptions=True,
            socket_timeout=_REDIS_SECONDS,
            socket_connect_timeout=_REDIS_SECONDS,
        )
    except (ConfigurationError, ImportError, ValueError) as error:
        advice = "use memory, or install the Python package redis, as isoline[redis] does"
        text = f"{address}: cannot count there: {error}; {advice}"
        raise RateLimitServerError(text) from error
    assert isinstance(storage, RedisStorage)
    _give_up_at_once(storage)
    return storage


def _give_up_at_once(storage: RedisStorage) -> None:
    """One more try, for a connection that Redis has closed since; its client's own waits outlast Envoy's patience."""
    redis: Any = storage.bridge.dependency
    _client(storage).set_retry(redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 1))


def _client(storage: RedisStorage) -> Any:
    bridge: Any = storage.bridge
    return bridge.get_connection()


class RateLimitServer:
    """Listens at a gRPC address such as `unix:/run/limits.sock` or `0.0.0.0:8081`, without TLS."""

    def __init__(self, address: str, storage: Storage) -> None:
        self._address = address
        self._storage = storage
        self._limiter = FixedWindowRateLimiter(storage)
        self._server: grpc.aio.Server | None = None
        self.rules = Rules()
        """May be set at any time; what was counted so far counts on."""

    async def start(self) -> int:
        """Return the port, 0 for a unix socket. Raises RateLimitServerError when it cannot listen."""
        server = grpc.aio.server(options=_OPTIONS)
        handler = grpc.unary_unary_rpc_method_handler(
            self._should_rate_limit,
            request_deserializer=rls_pb2.RateLimitRequest.FromString,
            response_serializer=rls_pb2.RateLimitResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: handler}),))
        try:
            port = self._bind(server)
        except (RuntimeError, OSError) as error:
            await server.stop(grace=None)
            raise RateLimitServerError(f"{self._address}: cannot listen there: {error}") from error
        await server.start()
        self._server = server
        return port

    def _bind(self, server: grpc.aio.Server) -> int:
        path = self._address.removeprefix("unix:")
        if path == self._address:
            port: int = server.add_insecure_port(path)
            return port
        Path(path).unlink(missing_ok=True)
        before = os.umask(_ONLY_US)
        try:
            server.add_insecure_port(self._address)
        finally:
            os.umask(before)
        return 0

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(grace=None)
            self._server = None
        if isinstance(self._storage, RedisStorage):
            await _client(self._storage).aclose()

    async def _should_rate_limit(self, request: Any, context: "grpc.aio.ServicerContext[Any, Any]") -> Any:
        try:
            statuses = [await self._status(request, descriptor) for descriptor in request.descriptors]
        except Exception as error:
            # Whether requests pass then is Envoy's to decide; it is told so.
            _log.warning("requests cannot be counted", error=str(error))
            await context.abort(grpc.StatusCode.UNAVAILABLE, "requests cannot be counted")
        over = any(status.code == _OVER_LIMIT for status in statuses)
        return rls_pb2.RateLimitResponse(overall_code=_OVER_LIMIT if over else _OK, statuses=statuses)

    async def _status(self, request: Any, descriptor: Any) -> Any:
        """What becomes of one descriptor: of its limits the one of which least is left."""
        entries = [(entry.key, entry.value) for entry in descriptor.entries]
        hits = request.hits_addend or 1
        if descriptor.HasField("hits_addend"):
            hits = descriptor.hits_addend.value
        tightest = _Status(code=_OK)
        for at, limit in enumerate(self._limits(descriptor, entries)):
            status = await self._hit(limit, hits, request.domain, *(part for entry in entries for part in entry))
            if at == 0 or (status.code, -status.limit_remaining) > (tightest.code, -tightest.limit_remaining):
                tightest = status
        return tightest

    def _limits(self, descriptor: Any, entries: list[tuple[str, str]]) -> tuple[Limit, ...]:
        if descriptor.HasField("limit"):
            unit = _UNITS.get(descriptor.limit.unit)
            return () if unit is None else (Limit(descriptor.limit.requests_per_unit, unit),)
        return self.rules.limits_of(entries)

    async def _hit(self, limit: Limit, hits: int, *identifiers: str) -> Any:
        item = _ITEMS[limit.unit](limit.requests)
        passed = await self._limiter.hit(item, *identifiers, cost=hits)
        window = await self._limiter.get_window_stats(item, *identifiers)
        status = _Status(code=_OK if passed else _OVER_LIMIT, limit_remaining=max(0, window.remaining))
        status.current_limit.requests_per_unit = limit.requests
        status.current_limit.unit = _Unit.Value(limit.unit.upper())
        status.duration_until_reset.FromMilliseconds(max(0, round((window.reset_time - time.time()) * 1000)))
        return status


_UNITS: dict[int, Unit] = {_Unit.Value(unit.upper()): unit for unit in _ITEMS}
