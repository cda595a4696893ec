"""Whatever is sent, the answer is a 4xx that says why; nothing crashes, nothing is spoken, memory stays bounded."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
from collections.abc import Callable, Iterator

import httpx
import pytest
from websockets.asyncio.client import connect

from . import bad_input
from .bad_input import GROUPS, RAW, Case, cases, messages
from .conftest import FakeEngine

MOST_GROWTH_KIB = 256 * 1024
"""A quarter of what one bomb says that it unpacks to; the libraries that are loaded at the first recording included."""


def fault_of(case: Case, answer: httpx.Response) -> str | None:
    """What is wrong with the answer to a case; None when it is as it has to be."""
    if not 400 <= answer.status_code < 500:
        return f"{case.name}: {answer.status_code} {answer.content[:200]!r}"
    if case.path.startswith("/web/") or case.method == "HEAD":
        return None
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return f"{case.name}: {answer.status_code} without a reason: {answer.content[:200]!r}"
    if not (error["message"] and error["code"] and error["type"] == "invalid_request_error" and "param" in error):
        return f"{case.name}: {error}"
    if case.param is not None and (error["param"] or "") != case.param:
        return f"{case.name}: names {error['param']!r} instead of {case.param!r}: {error['message'][:200]}"
    return f"{case.name}: an answer of {len(answer.content)} bytes" if len(answer.content) > 20_000 else None


async def send(client: httpx.AsyncClient, case: Case) -> httpx.Response:
    request = client.build_request(case.method, case.path, content=case.content)
    request.headers.update(case.headers)
    return await client.send(request)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
async def test_bad_input_is_answered_with_a_reason(
    client: httpx.AsyncClient, engine: FakeEngine, group: Callable[[], Iterator[Case]]
) -> None:
    sent = cases(group)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    faults = [fault for case in sent if (fault := fault_of(case, await send(client, case)))]
    assert not faults, f"{len(faults)} of {len(sent)}:\n" + "\n".join(faults)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_GROWTH_KIB
    assert engine.active == 0
    answer = await client.post(bad_input.SPEECH, json={"input": "Still here."})
    assert answer.status_code == 200


async def test_a_bad_message_is_answered_and_ends_only_its_session(served: str, engine: FakeEngine) -> None:
    sent = list(messages())
    for message in sent:
        async with connect(f"ws://{served}/v1/audio/speech/stream") as socket:
            await socket.send(message)
            error = json.loads(await socket.recv())
            assert error["type"] == "error", f"{message!r:.80}: {error}"
            assert error["error"]["type"] == "invalid_request_error", f"{message!r:.80}: {error}"
    assert len(sent) >= 80
    assert engine.requests == []


@pytest.mark.parametrize("content", RAW, ids=lambda content: ascii(content[:30]))
async def test_what_is_no_http_is_refused(served: str, content: bytes) -> None:
    reader, writer = await asyncio.open_connection(*served.split(":"))
    status = b""
    async with asyncio.timeout(30):
        with contextlib.suppress(ConnectionError):  # a server that hangs up has refused as well
            writer.write(content)
            writer.write_eof()
            status = await reader.readline()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    assert not status or status.split()[1].startswith(b"4")
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://{served}/healthz")).status_code == 200


def test_there_are_five_hundred_cases_with_names_of_their_own() -> None:
    names = [(case.name, case.content, case.headers.get("content-type")) for group in GROUPS for case in cases(group)]
    assert len(set(names)) >= 500
