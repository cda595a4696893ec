"""A Redis of a test's own."""

import asyncio
import contextlib
import importlib.util
import shutil
from pathlib import Path

import pytest

# Debian's redis-tools has the server under the name of the tool that is the same program; unlike the package
# redis-server it starts nothing on its own.
_PROGRAM = shutil.which("redis-server") or shutil.which("redis-check-rdb")

needs_redis = pytest.mark.skipif(
    _PROGRAM is None or importlib.util.find_spec("redis") is None,
    reason="needs a Redis server (Debian: redis-tools) and the Python package redis",
)


class RedisServer:
    """Keeps nothing when it stops."""

    def __init__(self, folder: Path, port: int) -> None:
        self.address = f"redis://127.0.0.1:{port}/0"
        self._folder = folder
        self._port = port
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns when it takes connections."""
        assert _PROGRAM is not None
        log = (self._folder / "redis.log").open("ab")
        self._process = await asyncio.create_subprocess_exec(
            "redis-server", "--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder),
            executable=_PROGRAM, stdout=log, stderr=log,
        )  # fmt: skip
        log.close()
        while True:
            assert self._process.returncode is None, (self._folder / "redis.log").read_text()
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None
