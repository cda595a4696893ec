"""A directory of manifests as one set of objects, kept up to date file by file.

Editors and copying tools write in many ways: in place in several steps, beside and renamed, removed and created anew.
So what adds or changes objects counts at once, but what would take objects away, or cannot be read, counts only when it
is still so a moment later.
"""

import asyncio
import contextlib
import os
import time
from bisect import insort
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from isoline.cluster.manifests import Definition, ManifestFile, Signature, is_manifest, read_file
from isoline.cluster.reading import Task, read_many
from isoline.cluster.source import ManifestProblem
from isoline.cluster.tree import KUBERNETES_LINK, Tree, scan, stat_file
from isoline.cluster.watching import Watch
from isoline.objects import Key, Object

SETTLE_SECONDS = 0.1
LONGEST_SETTLE_SECONDS = 1.0


class DirectoryError(OSError):
    """There is nothing to read manifests from."""


class Delta(NamedTuple):
    """What differs since the last one."""

    put: dict[Key, Object]
    gone: set[Key]
    files: dict[str, ManifestFile | None]
    """Every file that was read anew, by path; None for one that is no more."""


class _Unsettled(NamedTuple):
    signature: Signature | None
    since: float
    due: float


class ManifestDirectory:
    def __init__(self, root: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`root` is a directory, or one file."""
        self._root = root.absolute()
        self._clock = clock
        self._files: dict[str, ManifestFile] = {}
        self._definers: dict[Key, list[str]] = {}
        self._winners: dict[Key, tuple[str, Object]] = {}
        self._contested: set[Key] = set()
        self._unsettled: dict[str, _Unsettled] = {}
        self._tree = Tree({}, set(), frozenset(), None)

    @property
    def root(self) -> Path:
        return self._root

    @property
    def problems(self) -> list[ManifestProblem]:
        """All there are at present, by file."""
        found = [problem for path in sorted(self._files) for problem in self._files[path].problems]
        for key in sorted(self._contested):
            first, *others = self._present_definers(key)
            for other in others:
                line = self._files[other].definitions[key].line
                name = self.name_of(other)
                text = f"{name}:{line}: {key} is defined in {self.name_of(first)} already: that one counts"
                found.append(ManifestProblem("error", name, text))
        return found

    def file_of(self, key: Key) -> str | None:
        """The name of the file whose definition of an object counts; None when no file defines it."""
        winner = self._winners.get(key)
        return self.name_of(winner[0]) if winner is not None else None

    def get(self, key: Key) -> Object | None:
        """An object as the file says it whose definition counts."""
        winner = self._winners.get(key)
        return winner[1] if winner is not None else None

    def keys(self) -> Iterable[Key]:
        return self._winners.keys()

    def name_of(self, path: str) -> str:
        """A path as people are told it: from the directory on."""
        return os.path.relpath(path, self._root) if self._root.is_dir() else os.path.basename(path)  # noqa: PTH119

    def load(self, remembered: Mapping[str, ManifestFile] | None = None) -> Delta:
        """Everything there is. Files are not read when they are still what is remembered of them, by path.

        Raises DirectoryError when there is no such directory or file.
        """
        tree = scan(self._root)
        if tree.identity is None:
            raise DirectoryError(f"{self._root}: no such file or directory")
        if not tree.folders and not is_manifest(self._root.name):
            raise DirectoryError(f"{self._root}: a file of manifests ends in .yaml, .yml or .json")
        remembered = remembered or {}
        self._files = {path: remembered[path] for path in tree.files if path in remembered}
        affected = {key for file in self._files.values() for key in file.definitions}
        for path, file in self._files.items():
            self._register(path, file.definitions)
        self._tree = tree
        new = [Task(path, self.name_of(path)) for path in sorted(tree.files) if self._is_changed(path)]
        read = self._read_changed(tree.files, settle=False, ahead=read_many(new))
        for path in remembered.keys() - tree.files.keys():
            read[path] = None
        return self._delta(affected, read)

    async def follow(self) -> AsyncIterator[Delta]:
        """What changes after `load`, as it does. Ends only with its task."""
        while True:
            async with Watch(self._watched_root(), self._tree.anchors) as watch:
                # Between the last look and the watch, something may have changed.
                delta = self.look_again()
                watched = self._tree
                while True:
                    if delta.put or delta.gone or delta.files:
                        yield delta
                    if (self._tree.identity, self._tree.anchors) != (watched.identity, watched.anchors):
                        break
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(self._time_until_due()):
                            await watch.changed.wait()
                    delta = self._take(watch.take())

    def look_again(self) -> Delta:
        """Compares every file with what is known of it."""
        self._tree = scan(self._root)
        return self._delta(set(), self._read_changed(self._tree.files.keys() | self._files.keys()))

    def _watched_root(self) -> Path | None:
        return self._root if self._root.is_dir() else None

    def _take(self, changed: set[str]) -> Delta:
        paths = self._due()
        for path in changed:
            kind = self._classify(path)
            if kind == "tree":
                return self.look_again()
            if kind == "file":
                paths.add(path)
        return self._delta(set(), self._read_changed(paths))

    def _classify(self, path: str) -> str:
        """Whether a path concerns the tree as a whole, one file, or nobody."""
        root = str(self._root)
        if path == root or path in self._tree.folders:
            return "tree" if self._tree.folders or path not in self._files else "file"
        folder, name = os.path.split(path)
        if not path.startswith(root + os.sep):
            return "tree" if folder in self._tree.anchors and folder != os.path.dirname(root) else "nobody"  # noqa: PTH120
        parts = path[len(root) + 1 :].split(os.sep)  # noqa: PTH206
        if any(part.startswith(KUBERNETES_LINK) for part in parts):
            return "tree"
        if any(part.startswith(".") for part in parts):
            return "nobody"
        if path in self._files or (is_manifest(name) and folder in self._tree.folders):
            return "file"
        return "tree" if os.path.isdir(path) else "nobody"  # noqa: PTH112

    def _due(self) -> set[str]:
        now = self._clock()
        return {path for path, unsettled in self._unsettled.items() if unsettled.due <= now}

    def _time_until_due(self) -> float | None:
        if not self._unsettled:
            return None
        return max(0.0, min(unsettled.due for unsettled in self._unsettled.values()) - self._clock())

    def _is_changed(self, path: str) -> bool:
        previous = self._files.get(path)
        return previous is None or stat_file(path) != previous.signature

    def _read_changed(
        self, paths: Iterable[str], *, settle: bool = True, ahead: Mapping[str, ManifestFile] | None = None
    ) -> dict[str, ManifestFile | None]:
        """Reads those that are not as they were. Returns what counts from now on, by path.

        `ahead` are files that were just read, by path.
        """
        read: dict[str, ManifestFile | None] = {}
        for path in sorted(paths):
            previous = self._files.get(path)
            signature = stat_file(path)
            if previous is not None and signature == previous.signature:
                self._unsettled.pop(path, None)
                continue
            file = None
            if ahead is not None and previous is None and path in ahead:
                file = ahead[path]
            elif signature is not None:
                try:
                    file = read_file(Path(path), name=self.name_of(path), previous=previous)
                except FileNotFoundError:
                    signature = None
            if previous is None and file is None:
                continue
            if settle and self._takes_away(previous, file) and not self._settled(path, signature):
                continue
            self._unsettled.pop(path, None)
            read[path] = file
        return read

    @staticmethod
    def _takes_away(previous: ManifestFile | None, file: ManifestFile | None) -> bool:
        if file is None:
            return True
        if any(problem.severity == "error" for problem in file.problems):
            return True
        return previous is not None and not previous.definitions.keys() <= file.definitions.keys()

    def _settled(self, path: str, signature: Signature | None) -> bool:
        """Whether a file has been like this for long enough; if not, it will be looked at again."""
        now = self._clock()
        known = self._unsettled.get(path)
        if known is not None:
            same = known.signature == signature and now >= known.due
            if same or now - known.since >= LONGEST_SETTLE_SECONDS:
                return True
        since = known.since if known is not None else now
        self._unsettled[path] = _Unsettled(signature, since, now + SETTLE_SECONDS)
        return False

    def _delta(self, affected: set[Key], read: dict[str, ManifestFile | None]) -> Delta:
        for path, file in read.items():
            before = self._files[path].definitions if path in self._files else {}
            after = file.definitions if file is not None else {}
            affected |= _differing(before, after)
            self._unregister(path, before.keys() - after.keys())
            self._register(path, after.keys() - before.keys())
            if file is None:
                self._files.pop(path, None)
            else:
                self._files[path] = file
        put: dict[Key, Object] = {}
        gone: set[Key] = set()
        for key in affected:
            before_winner = self._winners.get(key)
            paths = self._present_definers(key)
            self._contested.discard(key)
            if not paths:
                if self._winners.pop(key, None) is not None:
                    gone.add(key)
                continue
            if len(paths) > 1:
                self._contested.add(key)
            item = self._files[paths[0]].definitions[key].object
            self._winners[key] = (paths[0], item)
            if before_winner is None or before_winner[1] != item:
                put[key] = item
        return Delta(put, gone, read)

    def _present_definers(self, key: Key) -> list[str]:
        """Files that define an object, by path; those that seem to be gone only where there are no others."""
        paths = self._definers.get(key, [])
        if len(paths) < 2 or not self._unsettled:
            return paths
        return [path for path in paths if not self._seems_gone(path)] or paths

    def _seems_gone(self, path: str) -> bool:
        unsettled = self._unsettled.get(path)
        return unsettled is not None and unsettled.signature is None

    def _register(self, path: str, keys: Iterable[Key]) -> None:
        for key in keys:
            insort(self._definers.setdefault(key, []), path)

    def _unregister(self, path: str, keys: Iterable[Key]) -> None:
        for key in keys:
            self._definers[key].remove(path)
            if not self._definers[key]:
                del self._definers[key]


def _differing(before: Mapping[Key, Definition], after: Mapping[Key, Definition]) -> set[Key]:
    """Keys whose objects are not the same. What comes from a piece that was not read again is."""
    differing = set(before.keys() - after.keys())
    for key, definition in after.items():
        known = before.get(key)
        if known is not definition and (known is None or known.object is not definition.object):
            differing.add(key)
    return differing
