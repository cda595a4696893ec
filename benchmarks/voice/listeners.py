"""Listeners of all kinds, some of whom leave, and what each of them was owed."""

import asyncio
import json
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from benchmarks import speech

RATE = 24_000
BYTES_A_SAMPLE = 2
SENTENCE = "今天天气很好，我们去公园里散步吧。"
LENGTHS = (1, 2, 3, 4, 6, 9)
"""How often the sentence is said: whoever gets another's answer gets one of another length."""
TOLERANCE = 0.08
LONG = SENTENCE * 200
PATIENCE = 60.0


@dataclass
class Tally:
    """What has become of the requests: how many were right, how many were left, and what was wrong."""

    answered: int = 0
    left: int = 0
    wrong: list[str] = field(default_factory=list)


class Listeners:
    """Ask the studio at a port, with every choice taken from `seed`."""

    def __init__(self, session: aiohttp.ClientSession, port: int, *, seed: int) -> None:
        self._session = session
        self._port = port
        self._seed = seed
        self._seconds: dict[int, float] = {}
        self.tally = Tally()

    async def prepare(self) -> None:
        """Hear each text once, alone: so long it has to be afterwards."""
        for length in LENGTHS:
            heard = await speech.speak(self._session, self._port, input=SENTENCE * length)
            self._seconds[length] = heard.audio

    async def listen(self, number: int, until: Callable[[], bool]) -> None:
        """One listener after the other, as long as `until` is false."""
        chance = random.Random(f"{self._seed}-{number}")
        ways: tuple[Callable[[random.Random], Coroutine[Any, Any, None]], ...] = (
            self._whole,
            self._events,
            self._session_of_sentences,
            self._leaves_an_answer,
            self._leaves_a_session,
            self._asks_for_nothing_sensible,
        )
        while not until():
            way = chance.choice(ways)
            try:
                async with asyncio.timeout(PATIENCE):
                    await way(chance)
            except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
                self.tally.wrong.append(f"{way.__name__.strip('_')}: {error!r}")

    async def _whole(self, chance: random.Random) -> None:
        length = chance.choice(LENGTHS)
        heard = await speech.speak(self._session, self._port, input=SENTENCE * length)
        self._judge("an answer", length, heard.audio)

    async def _events(self, chance: random.Random) -> None:
        length = chance.choice(LENGTHS)
        async with self._post({"input": SENTENCE * length, "response_format": "pcm", "stream_format": "sse"}) as answer:
            text = await answer.text()
        last = json.loads([line for line in text.splitlines() if line.startswith("data: {")][-1].removeprefix("data: "))
        if last["type"] != "speech.audio.done":
            self.tally.wrong.append(f"events ended with {last}")
        else:
            self.tally.answered += 1

    async def _session_of_sentences(self, chance: random.Random) -> None:
        length = chance.choice(LENGTHS)
        async with self._connect() as stream:
            await stream.send_json({"type": "input.text", "text": SENTENCE * length})
            await stream.send_json({"type": "input.done"})
            size = 0
            async for message in stream:
                size += len(message.data) if message.type is aiohttp.WSMsgType.BINARY else 0
        self._judge("a session", length, size / BYTES_A_SAMPLE / RATE)

    async def _leaves_an_answer(self, chance: random.Random) -> None:
        async with self._post({"input": LONG, "response_format": chance.choice(("pcm", "mp3", "opus"))}) as answer:
            for _ in range(chance.randrange(4)):
                await answer.content.readany()
            answer.close()
        self.tally.left += 1

    async def _leaves_a_session(self, chance: random.Random) -> None:
        async with self._connect() as stream:
            await stream.send_json({"type": "input.text", "text": LONG})
            for _ in range(chance.randrange(1, 6)):
                await stream.receive()
        self.tally.left += 1

    async def _asks_for_nothing_sensible(self, chance: random.Random) -> None:
        body = chance.choice(({"input": ""}, {"input": "Hi", "speed": 99}, {"input": "Hi", "voice": "nobody"}))
        async with self._post(body) as answer:
            await answer.read()
        if answer.status != 400:
            self.tally.wrong.append(f"{body} was answered {answer.status}")
        else:
            self.tally.answered += 1

    def _judge(self, what: str, length: int, seconds: float) -> None:
        expected = self._seconds[length]
        if abs(seconds - expected) > TOLERANCE * expected:
            self.tally.wrong.append(f"{what} to a text of {expected:.2f} s had {seconds:.2f} s")
        else:
            self.tally.answered += 1

    def _post(self, body: dict[str, Any]) -> Any:
        headers = {"Host": speech.HOST}
        return self._session.post(speech.url(self._port), json=body, headers=headers, server_hostname=speech.HOST)

    def _connect(self) -> Any:
        address = speech.url(self._port, "/v1/audio/speech/stream")
        return self._session.ws_connect(address, headers={"Host": speech.HOST}, server_hostname=speech.HOST)
