"""Downloads a model: piece by piece, goes on where it was cut, and keeps nothing that is not what was promised."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

import aiohttp

from isoline_voice.models.files import MODEL, ModelFile, missing, unfinished
from isoline_voice.models.mirrors import DownloadError, Mirror

TRIES = 6
"""How often in a row a server may fail without a single new byte."""
SILENCE_SECONDS = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
LOCK_SECONDS = 0.5
_PIECE = 1 << 20
_REFUSALS = (400, 401, 403, 404, 410, 451)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is, in bytes."""

    done: int
    total: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.done / self.total if self.total else 1.0


Report = Callable[[Progress], None]


async def download(folder: Path, mirror: Mirror, *, report: Report, first_pause: float = FIRST_PAUSE) -> None:
    """Bring what the model's folder lacks; returns when the model is whole, at once if it is.

    Of several processes one downloads, and the others wait for it. Raises DownloadError.
    """
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        async with _alone(folder):
            if missing(folder):
                await _Download(folder, mirror, report, first_pause).run()
    except OSError as error:
        raise DownloadError(_why(error, folder)) from error


@contextlib.asynccontextmanager
async def _alone(folder: Path) -> AsyncIterator[None]:
    """Holds the lock of a folder; the mark stays if the download did not end."""
    if not missing(folder):
        yield
        return
    with unfinished(folder).open("ab") as mark:
        while True:
            try:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(LOCK_SECONDS)
        if not unfinished(folder).exists():
            yield  # whoever had the lock has brought everything
            return
        yield
        unfinished(folder).unlink()


class _Download:
    def __init__(self, folder: Path, mirror: Mirror, report: Report, first_pause: float) -> None:
        self._folder = folder
        self._mirror = mirror
        self._report = report
        self._first_pause = first_pause
        self._done = 0
        self._total = 0

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=SILENCE_SECONDS, sock_read=SILENCE_SECONDS)
        # Compressed content could not be resumed, and its length is not the file's.
        headers = {"Accept-Encoding": "identity"}
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
            files = await self._list(session)
            wanted = [file for file in files if not await asyncio.to_thread(file.is_in, self._folder / file.path)]
            self._total = sum(file.size for file in files)
            self._done = self._total - sum(file.size for file in wanted)
            self._check_room(wanted)
            for file in wanted:
                await self._fetch(session, file)

    async def _list(self, session: aiohttp.ClientSession) -> list[ModelFile]:
        async def ask() -> object:
            async with session.get(self._mirror.listing(MODEL)) as answer:
                answer.raise_for_status()
                return await answer.json(content_type=None)

        try:
            listing = await self._persist("the list of files", ask, held=lambda: 0)
        except ValueError as error:
            raise DownloadError(f"{self._mirror.address} answered with no list of files.") from error
        return self._mirror.files(listing)

    def _check_room(self, wanted: list[ModelFile]) -> None:
        needed = sum(file.size - _size(self._part(file)) for file in wanted)
        free = shutil.disk_usage(self._folder).free
        if needed > free:
            raise DownloadError(
                f"{self._folder} has room for {_told(free)}, and {_told(needed)} are to come: make room, or name "
                "another folder."
            )

    async def _fetch(self, session: aiohttp.ClientSession, file: ModelFile) -> None:
        """Bring one file; a second time from its beginning if what came is not what was promised."""
        part, place, before = self._part(file), self._folder / file.path, self._done
        part.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(2):
            await self._persist(
                str(file.path), lambda: self._continue(session, file, part, before), held=lambda: _size(part)
            )
            if await asyncio.to_thread(file.is_in, part):
                part.replace(place)
                return
            part.unlink()
        raise DownloadError(
            f"What {self._mirror.address} sends as {file.path} has another checksum than it says, twice; "
            "choose another mirror."
        )

    async def _continue(self, session: aiohttp.ClientSession, file: ModelFile, part: Path, before: int) -> None:
        """Ask for what of a file has not come; `before` bytes of others have."""
        held = _size(part)
        self._tell(before + held)
        if held >= file.size > 0:
            return
        headers = {"Range": f"bytes={held}-"} if held else {}
        async with session.get(self._mirror.content(MODEL, file), headers=headers) as answer:
            if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                await asyncio.to_thread(part.unlink)
                raise aiohttp.ClientPayloadError("what has come is no part of what there is now")
            answer.raise_for_status()
            resumed = answer.status == HTTPStatus.PARTIAL_CONTENT
            if resumed and not answer.headers.get("Content-Range", "").startswith(f"bytes {held}-"):
                raise aiohttp.ClientPayloadError("another range than was asked for")
            with part.open("ab" if resumed else "wb") as out:
                async for piece in answer.content.iter_chunked(_PIECE):
                    await asyncio.to_thread(out.write, piece)
                    self._tell(before + out.tell())
                    if out.tell() > file.size:
                        return  # its checksum will be wrong; no more of it fills the disk
        if _size(part) < file.size:
            raise aiohttp.ClientPayloadError("it ended early")

    async def _persist(self, what: str, attempt: Callable[[], Awaitable[T]], *, held: Callable[[], int]) -> T:
        """The result of an attempt, repeated with growing pauses while it fails for a reason that may pass."""
        failures, pause, reached = 0, self._first_pause, held()
        while True:
            try:
                return await attempt()
            except (aiohttp.ClientError, TimeoutError) as error:
                now = held()
                failures, pause = (1, self._first_pause) if now > reached else (failures + 1, pause)
                reached = now
                if failures >= TRIES or _is_final(error):
                    raise DownloadError(
                        f"{what} did not come from {self._mirror.address}: {_cause(error)}. What has come stays."
                    ) from error
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)

    def _part(self, file: ModelFile) -> Path:
        place = self._folder / file.path
        return place.with_name(f"{place.name}.part")

    def _tell(self, done: int) -> None:
        self._done = done
        self._report(Progress(done, self._total))


def _size(place: Path) -> int:
    return place.stat().st_size if place.exists() else 0


def _is_final(error: Exception) -> bool:
    """Whether asking again is of no use: the server has understood, and refused."""
    return isinstance(error, aiohttp.ClientResponseError) and error.status in _REFUSALS


def _cause(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientResponseError):
        return f"it answered {error.status}"
    return str(error) or type(error).__name__


def _told(size: float) -> str:
    return f"{size / 1e9:.2f} GB"


def _why(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk of {folder} is full: make room and start again; what has come stays."
    return f"{folder} cannot be written to: {error.strerror or error}."
