"""Statuses on their way to the API server: which of many goes first."""

import asyncio
from typing import Any

import pytest

from isoline.cluster.kubernetes.statuses import WRITERS, StatusWrites
from isoline.objects import HTTPProxyStatus, Key


class SlowClient:
    """Answers one request each time that it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._answers = asyncio.Semaphore(0)

    async def send(self, _method: str, path: str, **_: Any) -> bytes:
        self.asked.append(path.split("/")[-2])
        await self._answers.acquire()
        return b""

    async def answer(self, times: int) -> None:
        """Answer so many, and wait until as many others are asked or nothing is left."""
        for _ in range(times):
            self._answers.release()
        for _ in range(10):
            await asyncio.sleep(0)


def key(number: int) -> Key:
    return Key("HTTPProxy", "default", f"p{number}")


@pytest.fixture
def client() -> SlowClient:
    return SlowClient()


async def test_what_has_just_changed_does_not_wait_for_the_thousands_before_it_and_they_are_not_forgotten(
    client: SlowClient,
) -> None:
    writes = StatusWrites(client, lambda _key, _answer: None)  # type: ignore[arg-type]
    for number in range(1000):
        writes.put(key(number), HTTPProxyStatus(description="first"))
    writes.start()
    await client.answer(0)
    assert len(client.asked) == WRITERS
    writes.put(key(2000), HTTPProxyStatus(description="now"))
    # One of each kind of writer asks again.
    await client.answer(WRITERS)
    assert "p2000" in client.asked[WRITERS:]
    # A stream of changes does not keep the oldest waiting.
    for number in range(3000, 3020):
        writes.put(key(number), HTTPProxyStatus(description="now"))
        await client.answer(WRITERS)
    assert {f"p{number}" for number in range(WRITERS // 2 * 10)} <= set(client.asked)
    await writes.stop()


async def test_of_several_statuses_of_an_object_the_newest_is_written_once(client: SlowClient) -> None:
    writes = StatusWrites(client, lambda _key, _answer: None)  # type: ignore[arg-type]
    for text in ("one", "two", "three"):
        writes.put(key(1), HTTPProxyStatus(description=text))
    writes.start()
    await client.answer(1)
    await writes.idle()
    assert client.asked == ["p1"]
    assert (writes.written, len(writes)) == (1, 0)
    await writes.stop()
