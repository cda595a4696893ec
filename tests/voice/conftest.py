"""A studio to talk to: over a fake engine that the test steers, and over the real one on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import math
import struct
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from isoline_voice.api.app import create_app
from isoline_voice.engines.protocol import (
    Capabilities,
    EngineStats,
    Health,
    Speech,
    SpeechRequest,
    SpeechWarning,
    Voice,
)
from isoline_voice.errors import InvalidRequestError, SynthesisError, UnknownVoiceError, VoiceError
from isoline_voice.server import listen, server_config
from isoline_voice.settings import Client, Settings
from isoline_voice.speech import SpeechService

RATE = 24_000
PIECE_SECONDS = 0.1
CHARACTERS_A_PIECE = 10
CAPABILITIES = Capabilities(
    dialects=frozenset({"粤语"}),
    languages=frozenset({"en", "zh"}),
    emotions=frozenset({"happy"}),
    volume=True,
    rate=True,
    pitch=True,
    cloning=False,
    max_characters=10_000,
)
ALLOY = Voice("alloy", "Alloy", "en", "fake", "A tone.")
SICHUANESE = SpeechWarning(
    code="dialect_unsupported",
    en="This engine cannot speak 四川话; it was read in Mandarin.",
    zh="本引擎不会说四川话，已用普通话朗读。",
)


def tone(seconds: float) -> bytes:
    """A 440 Hz tone, int16 mono at RATE."""
    count = round(seconds * RATE)
    samples = (round(8000 * math.sin(2 * math.pi * 440 * n / RATE)) for n in range(count))
    return struct.pack(f"<{count}h", *samples)


PIECE = tone(PIECE_SECONDS)


@dataclass
class FakeEngine:
    """Speaks 0.1 s for each ten characters, piece after piece when `gate` lets it; `endless` never ends."""

    name: str = "fake"
    capabilities: Capabilities = CAPABILITIES
    requests: list[SpeechRequest] = field(default_factory=list)
    refuse: VoiceError | None = None
    break_after: int | None = None
    endless: bool = False
    ok: bool = True
    active: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def voices(self) -> Sequence[Voice]:
        return [ALLOY]

    async def speak(self, request: SpeechRequest) -> Speech:
        self.requests.append(request)
        if self.refuse is not None:
            raise self.refuse
        if request.voice != "alloy":
            raise UnknownVoiceError(request.voice, ("alloy",))
        if len(request.text) > self.capabilities.max_characters:
            raise InvalidRequestError("The text is too long.", param="input", code="text_too_long")
        warnings = (SICHUANESE,) if "四川" in (request.style.dialect or "") else ()
        return Speech(RATE, ALLOY, request.style, warnings, self._pieces(request))

    async def _pieces(self, request: SpeechRequest) -> AsyncGenerator[bytes]:
        self.active += 1
        self.idle.clear()
        self.begun.set()
        count = math.ceil(len(request.text) / CHARACTERS_A_PIECE)
        try:
            for number in range(1_000_000 if self.endless else count):
                await self.gate.wait()
                if number == self.break_after:
                    raise SynthesisError("The worker fell over twice.")
                await asyncio.sleep(0.001 if self.endless else 0)
                yield PIECE
        finally:
            self.active -= 1
            if not self.active:
                self.idle.set()

    async def health(self) -> Health:
        return Health(ok=self.ok, detail="1 of 1 workers" if self.ok else "no worker yet")

    def stats(self) -> EngineStats:
        return EngineStats(workers=1, busy=self.active, restarts=3)

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def client(engine: FakeEngine) -> AsyncIterator[httpx.AsyncClient]:
    """The application over the fake engine, without a network."""
    app = create_app(SpeechService(engine), Settings(max_body=100_000, max_prompt_audio=300_000))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://studio") as client:
        yield client
    app.state.studio.close()


@pytest.fixture
def app(engine: FakeEngine) -> FastAPI:
    """The application that `served` serves."""
    return create_app(SpeechService(engine), Settings(port=0))


@pytest.fixture
async def served(app: FastAPI) -> AsyncIterator[str]:
    """`127.0.0.1:port` of a real web server over the fake engine, in the test's own event loop."""
    settings = Settings(port=0)
    listener = listen(settings)
    server = uvicorn.Server(server_config(app, settings))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.005)
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await running


@contextlib.contextmanager
def serving(
    service: SpeechService, *, clients: tuple[Client, ...] = (), behind: Callable[[ASGIApp], ASGIApp] | None = None
) -> Iterator[str]:
    """A real web server on a free port in a thread of its own, perhaps `behind` a gateway; gives its URL."""
    settings = Settings(port=0, clients=clients)
    listener = listen(settings)
    app = create_app(service, settings)
    server = uvicorn.Server(server_config(app if behind is None else behind(app), settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the studio did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def studio() -> Iterator[str]:
    """The URL of a studio that really speaks, one for the whole run."""
    with serving(SpeechService(workers=2)) as url:
        yield url
