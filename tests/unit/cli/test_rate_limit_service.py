"""`isoline rate-limits`: counts by a file, and follows it."""

import asyncio
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from envoy.service.ratelimit.v3 import rls_pb2

from isoline.cli.errors import UsedWronglyError
from isoline.cli.rate_limit_service import read_config, serve

HEAD = "apiVersion: isoline.dev/v1alpha1\nkind: GatewayConfig\nmetadata: {name: default}\n"


def config(requests: int) -> str:
    limit = f"{{entries: [{{key: k}}], requests: {requests}, unit: hour}}"
    return f"{HEAD}spec: {{rateLimitService: {{limits: [{limit}]}}}}\n"


async def limit_told(address: str) -> int:
    request = rls_pb2.RateLimitRequest(domain="d")
    request.descriptors.add().entries.add(key="k", value="v")
    async with grpc.aio.insecure_channel(address) as channel:
        ask: Any = channel.unary_unary(
            "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit",
            request_serializer=rls_pb2.RateLimitRequest.SerializeToString,
            response_deserializer=rls_pb2.RateLimitResponse.FromString,
        )
        answer = await ask(request, wait_for_ready=True)
    told: int = answer.statuses[0].current_limit.requests_per_unit
    return told


async def test_it_follows_its_file(tmp_path: Path) -> None:
    file, address, stop = tmp_path / "config" / "gateway.yaml", f"unix:{tmp_path}/l.sock", asyncio.Event()
    file.parent.mkdir()
    file.write_text(config(5))
    serving = asyncio.create_task(serve(file, address, stop))
    assert await limit_told(address) == 5
    while await limit_told(address) != 7:
        file.write_text(config(7))
        await asyncio.sleep(0.1)
    stop.set()
    await serving


def test_a_file_without_limits_is_told(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(f"{HEAD}spec: {{}}\n")
    with pytest.raises(UsedWronglyError, match="rateLimitService"):
        read_config(file)
