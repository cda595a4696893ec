"""One gateway for all attacks of a module: what one of them breaks, the next would feel."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from fuzz.running import Running, running
from security.backend import Backend
from security.sites import objects


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def backend() -> AsyncIterator[Backend]:
    """The app behind every site."""
    backend = Backend()
    await backend.start()
    yield backend
    await backend.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, backend: Backend) -> AsyncIterator[Running]:
    """The whole gateway with the guarded sites, warm."""
    folder: Path = tmp_path_factory.mktemp("gateway")
    async with running(folder, *objects(backend.port)) as gateway:
        await gateway.until(lambda: bool(gateway.streams) and len(gateway.streams[0].subscriptions) > 3)
        await gateway.settled(waiting=True)
        yield gateway
        assert gateway.refused == []
