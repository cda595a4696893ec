"""Which limits a descriptor meets, and how the service counts."""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from envoy.service.ratelimit.v3 import rls_pb2
from limits.aio.storage import MemoryStorage

from isoline.envoy.rate_limit_server import RateLimitServer, RateLimitServerError, storage_of
from isoline.envoy.rate_limits import Limit, Rule, Rules
from unit.envoy.redis_server import RedisServer, needs_redis
from unit.xds.edge import free_port

HOUR = Limit(2, "hour")
OK, OVER = rls_pb2.RateLimitResponse.OK, rls_pb2.RateLimitResponse.OVER_LIMIT


def rule(limit: Limit, *entries: tuple[str, str | None]) -> Rule:
    return Rule(entries, limit)


RULES = Rules(
    [
        rule(Limit(1, "second"), ("key", "a")),
        rule(Limit(2, "second"), ("key", None)),
        rule(Limit(3, "second"), ("key", "a"), ("remote_address", None)),
        rule(Limit(4, "second"), ("key", None), ("path", "/")),
        rule(Limit(5, "hour"), ("key", "a")),
    ]
)


@pytest.mark.parametrize(
    ("entries", "limits"),
    [
        ([("key", "a")], (Limit(1, "second"), Limit(5, "hour"))),
        ([("key", "b")], (Limit(2, "second"),)),
        ([("key", "a"), ("remote_address", "::1")], (Limit(3, "second"),)),
        ([("key", "b"), ("remote_address", "::1")], ()),
        ([("key", "a"), ("path", "/")], (Limit(4, "second"),)),
        ([("remote_address", "::1"), ("key", "a")], ()),
        ([("other", "a")], ()),
        ([], ()),
    ],
)
def test_the_most_specific_rule_counts(entries: list[tuple[str, str]], limits: tuple[Limit, ...]) -> None:
    assert RULES.limits_of(entries) == limits


class Client:
    def __init__(self, server: RateLimitServer, channel: grpc.aio.Channel) -> None:
        self.server = server
        self._ask = channel.unary_unary(
            "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit",
            request_serializer=rls_pb2.RateLimitRequest.SerializeToString,
            response_deserializer=rls_pb2.RateLimitResponse.FromString,
        )

    async def ask(self, *descriptors: dict[str, str], domain: str = "d", hits: int = 0) -> Any:
        request = rls_pb2.RateLimitRequest(domain=domain, hits_addend=hits)
        for descriptor in descriptors:
            added = request.descriptors.add()
            for key, value in descriptor.items():
                added.entries.add(key=key, value=value)
        return await self._ask(request)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    address = f"unix:{tmp_path}/limits.sock"
    server = RateLimitServer(address, MemoryStorage())
    assert await server.start() == 0
    async with grpc.aio.insecure_channel(address) as channel:
        yield Client(server, channel)
    await server.stop()


async def test_it_counts_to_the_limit_and_says_what_is_left(client: Client) -> None:
    client.server.rules = Rules([rule(HOUR, ("key", None))])
    answers = [await client.ask({"key": "a"}) for _ in range(3)]
    assert [answer.overall_code for answer in answers] == [OK, OK, OVER]
    assert [answer.statuses[0].limit_remaining for answer in answers] == [1, 0, 0]
    limit = answers[0].statuses[0].current_limit
    assert (limit.requests_per_unit, limit.unit) == (2, rls_pb2.RateLimitResponse.RateLimit.HOUR)
    assert 0 < answers[0].statuses[0].duration_until_reset.seconds <= 3600


async def test_values_and_domains_are_counted_apart(client: Client) -> None:
    client.server.rules = Rules([rule(Limit(1, "hour"), ("key", None))])
    asked = [("a", "d"), ("b", "d"), ("a", "e"), ("a", "d")]
    answers = [(await client.ask({"key": value}, domain=domain)).overall_code for value, domain in asked]
    assert answers == [OK, OK, OK, OVER]


async def test_one_descriptor_over_its_limit_is_enough(client: Client) -> None:
    client.server.rules = Rules([rule(Limit(1, "hour"), ("key", "a"))])
    await client.ask({"key": "a"})
    answer = await client.ask({"key": "a"}, {"key": "unlimited"})
    assert answer.overall_code == OVER
    assert [status.code for status in answer.statuses] == [OVER, OK]


async def test_of_several_limits_the_tightest_is_told(client: Client) -> None:
    client.server.rules = Rules([rule(Limit(5, "second"), ("key", "a")), rule(HOUR, ("key", "a"))])
    answers = [await client.ask({"key": "a"}) for _ in range(3)]
    assert [answer.overall_code for answer in answers] == [OK, OK, OVER]
    assert {answer.statuses[0].current_limit.requests_per_unit for answer in answers} == {2}


async def test_a_request_may_count_for_several(client: Client) -> None:
    client.server.rules = Rules([rule(Limit(10, "hour"), ("key", "a"))])
    assert (await client.ask({"key": "a"}, hits=8)).statuses[0].limit_remaining == 2
    assert (await client.ask({"key": "a"}, hits=3)).overall_code == OVER


async def test_a_limit_may_come_with_the_question(client: Client) -> None:
    request = rls_pb2.RateLimitRequest(domain="d")
    descriptor = request.descriptors.add()
    descriptor.entries.add(key="k", value="v")
    descriptor.limit.requests_per_unit, descriptor.limit.unit = 1, 3
    assert [(await client._ask(request)).overall_code for _ in range(2)] == [OK, OVER]


async def test_new_rules_count_on(client: Client) -> None:
    client.server.rules = Rules([rule(HOUR, ("key", "a"))])
    await client.ask({"key": "a"})
    client.server.rules = Rules([rule(HOUR, ("key", "a")), rule(HOUR, ("other", None))])
    assert [(await client.ask({"key": "a"})).overall_code for _ in range(2)] == [OK, OVER]
    client.server.rules = Rules()
    assert (await client.ask({"key": "a"})).overall_code == OK


async def test_a_storage_that_fails_is_envoys_to_judge(tmp_path: Path) -> None:
    class Broken(MemoryStorage):
        async def incr(self, *_: object, **__: object) -> int:
            raise ConnectionError("refused")

    address = f"unix:{tmp_path}/limits.sock"
    server = RateLimitServer(address, Broken())
    await server.start()
    server.rules = Rules([rule(HOUR, ("key", "a"))])
    async with grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await Client(server, channel).ask({"key": "a"})
    assert failure.value.code() is grpc.StatusCode.UNAVAILABLE
    await server.stop()


async def test_an_address_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(RateLimitServerError, match="cannot listen there"):
        await RateLimitServer(f"unix:{tmp_path}/none/limits.sock", MemoryStorage()).start()


def test_where_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(storage_of("memory"), MemoryStorage)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(RateLimitServerError, match="install the Python package redis"):
        storage_of("redis://localhost:1")


@needs_redis
async def test_several_services_share_what_they_count_in_redis(tmp_path: Path) -> None:
    redis = RedisServer(tmp_path, free_port())
    await redis.start()
    servers = [RateLimitServer(f"unix:{tmp_path}/{name}.sock", storage_of(redis.address)) for name in ("a", "b")]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(redis.stop)
        clients = []
        for server, name in zip(servers, ("a", "b"), strict=True):
            await server.start()
            stack.push_async_callback(server.stop)
            server.rules = Rules([rule(HOUR, ("key", None))])
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"unix:{tmp_path}/{name}.sock"))
            clients.append(Client(server, channel))
        answers = [await clients[number % 2].ask({"key": "a"}) for number in range(3)]
        assert [answer.overall_code for answer in answers] == [OK, OK, OVER]
        assert [answer.statuses[0].limit_remaining for answer in answers] == [1, 0, 0]

        await redis.stop()
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await clients[0].ask({"key": "a"})
        assert failure.value.code() is grpc.StatusCode.UNAVAILABLE
        # What was counted is gone with it; counting goes on when it comes back.
        await redis.start()
        assert [(await clients[0].ask({"key": "a"})).overall_code for _ in range(3)] == [OK, OK, OVER]
