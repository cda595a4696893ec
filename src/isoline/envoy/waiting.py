"""What is waited for of an Envoy: that it answers, that it takes connections, that its clients have left."""

import asyncio
from contextlib import suppress

from isoline.envoy.admin import AdminError
from isoline.envoy.instances import EnvoyError, Instance

LOOK_AGAIN_SECONDS = 0.05
_ANSWER_SECONDS = 3.0


async def answers(instance: Instance) -> bool:
    """Whether its admin interface is open: one that was replaced has closed it, one just started will open it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_ANSWER_SECONDS):
            while instance.process.alive:
                with suppress(AdminError):
                    await instance.admin.server_info()
                    return True
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return False


async def takes_connections(instance: Instance) -> None:
    """Wait until it is live; raises EnvoyError if it ends before that."""
    ended = asyncio.ensure_future(instance.process.wait())
    try:
        while not ended.done():
            if await instance.admin.ready():
                return
            await asyncio.wait([ended], timeout=LOOK_AGAIN_SECONDS)
        status = ended.result()
        raise EnvoyError(f"the new Envoy {status}, the old one goes on. It said: {status.last_words}")
    finally:
        ended.cancel()


async def drained(instance: Instance, seconds: float) -> None:
    """Have it take no new connections, and wait until it has none, for at most so many seconds."""
    with suppress(AdminError, TimeoutError):
        async with asyncio.timeout(seconds):
            await instance.admin.drain_listeners()
            while await instance.admin.busy():  # noqa: ASYNC110
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
