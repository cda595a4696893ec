"""Speaking for as long as somebody listens."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from starlette.types import Receive

from isoline_voice.api.studio import Studio


async def while_listened(studio: Studio, route: str, receive: Receive, answer: Coroutine[None, None, None]) -> None:
    """Await `answer`, which is cancelled the moment its client leaves; either is counted.

    Raises what `answer` raises.
    """
    studio.stream_begins()
    answering = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(_until_gone(receive))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            studio.metrics.cancelled.labels(route).inc()
            return
        answering.result()
    finally:
        for task in (answering, leaving):
            task.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)
        studio.stream_ends()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
