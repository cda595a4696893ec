"""What every route needs, in one place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from isoline_voice.metrics import Metrics
from isoline_voice.settings import Settings
from isoline_voice.speech import SpeechService


@dataclass(slots=True)
class Studio:
    """The service that speaks, its settings and its figures.

    `draining` is set when the studio is about to stop: it then reports itself not ready and goes on serving. `streams`
    counts the answers and sessions that are being spoken; `idle` is set while there are none, which a stop waits for.
    """

    service: SpeechService
    settings: Settings
    metrics: Metrics
    draining: bool = False
    streams: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.idle.set()

    def stream_begins(self) -> None:
        """Count an answer or session that begins to be spoken."""
        self.streams += 1
        self.idle.clear()
        self.metrics.active.set(self.streams)

    def stream_ends(self) -> None:
        """Count one that has ended, however it ended."""
        self.streams -= 1
        if not self.streams:
            self.idle.set()
        self.metrics.active.set(self.streams)


def studio_of(connection: HTTPConnection) -> Studio:
    """The studio that a request or WebSocket came to."""
    studio = connection.app.state.studio
    assert isinstance(studio, Studio)
    return studio
