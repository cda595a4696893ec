"""Servers of ours that speak the documented protocols of sglang-omni and vllm-omni, with the faults that a test wants.

They are not the real servers, which need a GPU: they check every request as the documentation says and answer a tone.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from voice.conftest import tone

SAMPLES_A_PIECE = 2_400


@dataclass
class SpeechServer:
    """Answers POST /v1/audio/speech with 0.1 s of a tone for each three characters, one piece after the other.

    `refuse` answers with that status; `break_after` closes the connection after so many pieces, `hang_after` sends no
    more; `events` answers with server-sent events.
    """

    kind: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    traces: list[str | None] = field(default_factory=list)
    refuse: int | None = None
    retry_after: str | None = None
    break_after: int | None = None
    hang_after: int | None = None
    events: bool = False
    error_event: bool = False
    pace: float = 0.0
    active: int = 0
    connections: set[object] = field(default_factory=set)
    url: str = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[SpeechServer]:
        """On a free port while the context lasts."""
        app = web.Application(client_max_size=20 * 1024 * 1024)
        app.add_routes([web.post("/v1/audio/speech", self._speak), web.get("/health", self._health)])
        # A client that goes away cancels its handler, as these servers do.
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert runner.addresses
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(status=self.refuse or 200)

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.traces.append(request.headers.get("traceparent"))
        self.connections.add(request.transport)
        if self.refuse is not None:
            headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
            return web.json_response({"error": {"message": "no GPU memory"}}, status=self.refuse, headers=headers)
        if fault := self._fault(body):
            return web.json_response({"error": {"message": fault}}, status=400)
        self.active += 1
        try:
            return await self._stream(request, body)
        finally:
            self.active -= 1

    def _fault(self, body: dict[str, Any]) -> str:
        if not body.get("stream") or body.get("response_format") != "pcm":
            return "streams are pcm"
        if not str(body.get("ref_audio", "")).startswith("data:audio/wav;base64,"):
            return "ref_audio is required"
        if self.kind == "vllm" and not body.get("ref_text"):
            return "ref_text is required"
        if self.kind == "sglang" and body.get("ref_text") and body.get("instructions"):
            return "instructions and ref_text exclude each other"
        return "speed must be 1" if body.get("speed", 1) != 1 else ""

    async def _stream(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        kind = "text/event-stream" if self.events else "audio/pcm"
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        piece = tone(SAMPLES_A_PIECE / 24_000)
        for index in range(max(1, len(body["input"]) // 3)):
            if index == self.break_after:
                assert request.transport is not None
                request.transport.abort()
                return response
            if index == self.hang_after:
                await asyncio.sleep(3600)
            if self.error_event:
                await response.write(_event({"type": "speech.audio.error", "error": {"message": "CUDA error"}}))
                break
            if self.events:
                audio = base64.b64encode(piece).decode()
                await response.write(_event({"type": "speech.audio.delta", "audio": audio}))
            else:
                await response.write(piece[:1001])  # odd on purpose: a sample may come in two halves
                await response.write(piece[1001:])
            await asyncio.sleep(self.pace)
        if self.events:
            await response.write(_event({"type": "speech.audio.done", "usage": {}}) + b"data: [DONE]\n\n")
        await response.write_eof()
        return response


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"
