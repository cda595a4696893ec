"""A machine with controllers in a temporary state folder, and a small program for them to run."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from unit.controllers.machine import PROGRAM, RealMachine


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[RealMachine]:
    (tmp_path / "program.py").write_text(PROGRAM)
    made = RealMachine(tmp_path)
    yield made
    await asyncio.wait_for(made.end(), 60)
