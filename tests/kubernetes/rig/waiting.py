"""Waiting for what nobody announces: processes that end, addresses that answer."""

import asyncio
import time
from collections.abc import Callable


async def until(condition: Callable[[], object], *, within: float = 60, every: float = 0.05) -> None:
    """Return when `condition` is true; raises TimeoutError after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        if condition():
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"not after {within} s")
        await asyncio.sleep(every)
