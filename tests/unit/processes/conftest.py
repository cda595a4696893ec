import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from isoline.processes import ProcessSpec, ProcessTable

MakeSpec = Callable[..., ProcessSpec]
Eventually = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[ProcessTable]:
    table = ProcessTable(tmp_path / "processes")
    yield table
    table.adopt()
    await table.stop_all(grace=0)


@pytest.fixture
def eventually() -> Eventually:
    """`await eventually(condition)` waits until the condition holds, and fails if it does not come true in 20 s."""

    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def python() -> MakeSpec:
    """`python("print(1)", grace=…)` is the spec of a process that runs this code."""

    def spec(code: str, *, name: str = "app", **more: Any) -> ProcessSpec:
        return ProcessSpec(name=name, argv=(sys.executable, "-S", "-c", code), **more)

    return spec
