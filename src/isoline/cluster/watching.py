"""Tells which paths of a tree may have changed, quickly: a saved file is told of within about 10 ms."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from watchfiles import awatch

# watchfiles looks at what has come every STEP ms and hands it on once a step brought nothing new: the time that a save
# waits is between one and two steps. An idle step costs some 15 us.
STEP_MS = 5
DEBOUNCE_MS = 50
ANCHOR_STEP_MS = 25


class Watch:
    """A recursive watch of a folder, and flat watches of the folders beside it that it hangs on."""

    def __init__(self, root: Path | None, anchors: Iterable[str]) -> None:
        """Without a root, the anchors hold all that counts, and are looked at as often."""
        self._root = root
        self._anchors = [anchor for anchor in anchors if Path(anchor).is_dir()]
        self._paths: set[str] = set()
        self.changed = asyncio.Event()
        """Set while there is something to take."""
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        if self._root is not None:
            self._tasks.append(asyncio.create_task(self._collect([str(self._root)], recursive=True, step=STEP_MS)))
        if self._anchors:
            step = STEP_MS if self._root is None else ANCHOR_STEP_MS
            self._tasks.append(asyncio.create_task(self._collect(self._anchors, recursive=False, step=step)))
        # Each task registers its watches before it waits for the first time.
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def take(self) -> set[str]:
        """Paths that may have changed since the last call."""
        self.changed.clear()
        taken, self._paths = self._paths, set()
        return taken

    async def _collect(self, paths: list[str], *, recursive: bool, step: int) -> None:
        try:
            async for changes in awatch(
                *paths,
                watch_filter=None,
                recursive=recursive,
                step=step,
                debounce=DEBOUNCE_MS,
                ignore_permission_denied=True,
            ):
                self._paths.update(path for _, path in changes)
                self.changed.set()
        except FileNotFoundError:
            # Gone between the look at it and the watch: the owner looks again.
            self._paths.update(paths)
            self.changed.set()
