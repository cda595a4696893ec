"""One piece of text to one of the servers, and its PCM back: pooled connections, retries before the first audio."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
from opentelemetry.propagate import inject

from isoline_voice.engines.remote.answers import pcm_of, reason_of
from isoline_voice.engines.remote.replicas import Replica, Replicas
from isoline_voice.errors import (
    EngineBusyError,
    EngineUnavailableError,
    InvalidRequestError,
    SynthesisError,
    SynthesisTimeoutError,
    VoiceError,
)

PATH = "/v1/audio/speech"
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_TROUBLE = (aiohttp.ClientError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: to connect, to the first audio, and between two pieces of audio, however long the whole takes."""

    connect: float = 3.0
    first_audio: float = 20.0
    progress: float = 10.0


class Client:
    """Speaks to the replicas of one engine over one pool of connections."""

    def __init__(self, replicas: Replicas, *, key: str | None, timeouts: Timeouts) -> None:
        self.replicas = replicas
        self._timeouts = timeouts
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the pool; connections are made when they are needed and kept."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._timeouts.connect)
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, headers=self._headers)

    async def stop(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def healthy(self) -> int:
        """How many servers answer GET /health."""
        return sum(await asyncio.gather(*(self._is_healthy(replica) for replica in self.replicas.all)))

    async def speak(self, body: Mapping[str, Any]) -> AsyncGenerator[bytes]:
        """The PCM for a request's body.

        Until the first audio a server that is busy, gone or broken is replaced by the next one. Raises
        InvalidRequestError (the server refuses the request), EngineBusyError, EngineUnavailableError, SynthesisError or
        SynthesisTimeoutError.
        """
        error: VoiceError = EngineUnavailableError("The speech engine does not run; try again when it is ready.")
        for replica in self.replicas.order():
            heard = False
            try:
                async with contextlib.aclosing(self._ask(replica, body)) as answer:
                    async for pcm in answer:
                        heard = True
                        yield pcm
            except InvalidRequestError:
                raise
            except VoiceError as failure:
                if heard:
                    raise
                error = failure
                continue
            return
        raise error

    async def _ask(self, replica: Replica, body: Mapping[str, Any]) -> AsyncGenerator[bytes]:
        if self._session is None:
            raise EngineUnavailableError("The speech engine does not run; try again when it is ready.")
        replica.active += 1
        begun = False
        trace: dict[str, str] = {}
        inject(trace)
        try:
            async with asyncio.timeout(self._timeouts.first_audio) as deadline:
                async with self._session.post(replica.url + PATH, json=body, headers=trace) as response:
                    await self._refused(replica, response)
                    async for pcm in pcm_of(response):
                        if not begun:
                            begun = True
                            self.replicas.succeeded(replica)
                        # Waiting for a slow listener is no fault of the server's.
                        deadline.reschedule(None)
                        yield pcm
                        deadline.reschedule(asyncio.get_running_loop().time() + self._timeouts.progress)
            if not begun:
                raise SynthesisError("The speech server answered without any audio.")
        except _TROUBLE as error:
            self.replicas.failed(replica)
            if isinstance(error, TimeoutError):
                said = "stopped half way" if begun else "did not begin in time"
                raise SynthesisTimeoutError(f"The speech server {said}.") from error
            if begun:
                raise SynthesisError("The connection to the speech server broke half way.") from error
            raise EngineUnavailableError(
                f"The speech server cannot be reached: {error}.", retry_after=self.replicas.pause or 1.0
            ) from error
        finally:
            replica.active -= 1

    async def _refused(self, replica: Replica, response: aiohttp.ClientResponse) -> None:
        status = response.status
        if status == HTTPStatus.OK:
            return
        reason = await reason_of(response)
        if status in _BUSY:
            after = response.headers.get("Retry-After", "1")
            wait = float(after) if after.isdecimal() else 1.0
            self.replicas.failed(replica, retry_after=wait)
            raise EngineBusyError(f"The speech server is busy: {reason}", retry_after=wait)
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise InvalidRequestError(f"The speech server refuses the request: {reason}", code="engine_refused")
        self.replicas.failed(replica)
        raise SynthesisError(f"The speech server failed with status {status}: {reason}")

    async def _is_healthy(self, replica: Replica) -> bool:
        if self._session is None:
            return False
        try:
            async with (
                asyncio.timeout(self._timeouts.connect),
                self._session.get(f"{replica.url}/health") as response,
            ):
                return response.status == HTTPStatus.OK
        except _TROUBLE:
            return False
