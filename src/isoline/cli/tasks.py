"""Tasks that end with what they work for."""

import asyncio
import contextlib


async def cancelled(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end. What went wrong in it was told where it was watched."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task
