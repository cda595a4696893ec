"""What the tests of this room share: a state folder, a directory of manifests, and a source over both."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from isoline.cluster.directory import ManifestDirectory
from isoline.cluster.local import LocalSource
from isoline.cluster.state import StateFolder
from isoline.cluster.store import Store


class Starter(Protocol):
    """Starts a source over the test's state folder, as a new process would."""

    async def __call__(self) -> LocalSource: ...


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    folder = tmp_path / "manifests"
    folder.mkdir()
    return folder


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFolder]:
    folder = StateFolder(tmp_path / "state")
    folder.acquire()
    yield folder
    folder.release()


@asynccontextmanager
async def running(state: StateFolder, manifests: Path | None) -> AsyncIterator[LocalSource]:
    source = LocalSource(Store(), state, ManifestDirectory(manifests) if manifests is not None else None)
    await source.start()
    try:
        yield source
    finally:
        await source.stop()


@pytest.fixture
async def start(state: StateFolder, manifests: Path) -> AsyncIterator[Starter]:
    async with AsyncExitStack() as stack:
        last: list[LocalSource] = []

        async def starter() -> LocalSource:
            if last:
                await last.pop().stop()
            source = await stack.enter_async_context(running(state, manifests))
            last.append(source)
            return source

        yield starter


class Eventually(Protocol):
    """Returns once something holds; fails when it does not within ten seconds."""

    async def __call__(self, condition: Callable[[], bool]) -> None: ...


@pytest.fixture
def eventually() -> Eventually:
    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.002)

    return wait
