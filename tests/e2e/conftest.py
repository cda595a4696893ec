"""Isolines for tests."""

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.support import EXAMPLES, VOICE_HOST, Isoline


@pytest.fixture
def isoline(tmp_path: Path) -> Iterator[Callable[[Path], Isoline]]:
    """Makes Isolines for directories of manifests; each is ended with all that it started."""
    made: list[Isoline] = []

    def make(manifests: Path) -> Isoline:
        folder = tmp_path / f"isoline-{len(made)}"
        folder.mkdir()
        made.append(Isoline(folder, manifests))
        return made[-1]

    yield make
    for each in made:
        if each.process is not None and each.process.poll() is None:
            each.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                each.process.wait(30)
        each.run("down", check=False)
        if each.process is not None and each.process.poll() is None:
            each.process.kill()
            each.process.wait()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Isoline]:
    """One running studio for the tests of a file that only talk to it."""
    running = Isoline(tmp_path_factory.mktemp("studio"), EXAMPLES / "voice")
    running.up()
    try:
        running.until_speaks(VOICE_HOST)
        yield running
        assert running.interrupt() == 0
    finally:
        running.run("down", check=False)
