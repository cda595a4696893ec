"""Keeps a store true to one collection of an API server: lists it once, then follows it, whatever happens meanwhile."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Literal, Protocol

import aiohttp
import msgspec
import structlog

from isoline.cluster.kubernetes import paths
from isoline.cluster.kubernetes.client import Client
from isoline.cluster.kubernetes.decoding import UndecodableError, bare_of, decoder, event_of, list_of
from isoline.cluster.kubernetes.errors import APIError, KubernetesError, UnreachableError, error_of_event
from isoline.objects import Key, Object
from isoline.objects.registry import Kind

FIRST_RETRY = 0.1
LONGEST_RETRY = 3.0
ABSENT_SECONDS = 5.0
"""How often a kind that the cluster does not know is looked for."""
WATCH_SECONDS = (300, 600)
"""After so long the server ends a watch, and it is taken up where it ended: not all of them at the same time."""
PAGE = 2000
INITIAL_EVENTS_END = "k8s.io/initial-events-end"

State = Literal["starting", "following", "absent", "refused", "away"]
_log = structlog.get_logger(__name__)


class Sink(Protocol):
    """Takes what a reflector finds."""

    def changed(self, put: Sequence[Object], gone: Sequence[Key], *, version: str) -> None:
        """These are as they are now and those are not there any more, as of this version of the collection."""
        ...

    def undecodable(self, key: Key, text: str) -> None:
        """This object cannot be read, and stays as it was."""
        ...

    def decodable(self, key: Key) -> None:
        """This object can be read (again)."""
        ...


class Reflector:
    """One kind, in one namespace or in all, narrowed by selectors where they are given."""

    def __init__(
        self,
        client: Client,
        kind: Kind,
        sink: Sink,
        *,
        namespace: str | None = None,
        field_selector: str = "",
        label_selector: str = "",
        insistent: bool = True,
        wanted: Callable[[Key], bool] | None = None,
        on_state: "Callable[[Reflector], None] | None" = None,
    ) -> None:
        """Not `insistent`: a kind that may not be read is settled, as one that is not there.

        `on_state` hears of each new state. Of what `wanted` does not want nothing is kept, however shortly.
        """
        self.kind = kind
        self.namespace = namespace
        self.state: State = "starting"
        self.trouble = ""
        """What keeps it from following, in words; empty while it follows."""
        self.since = time.time()
        """When the state began, in seconds since the epoch."""
        self.settled = asyncio.Event()
        """Set once everything that was there has been told, or the cluster is known not to have the kind."""
        self.lists = 0
        """How often everything was listed: once, and whenever following was not possible."""
        self._client = client
        self._insistent = insistent
        self._wanted = wanted
        self._on_state = on_state
        self._sink = sink
        self._path = paths.collection(kind, namespace)
        selectors = {"fieldSelector": field_selector, "labelSelector": label_selector}
        self._selector = {name: value for name, value in selectors.items() if value}
        self._decode = decoder(kind)
        self._version = ""
        self._known: set[Key] = set()
        self._streams_lists = True
        self._failures = 0
        self._reached = True
        """Whether the server answered the last time, be it with an error."""

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await (self._watch() if self._version or self._streams_lists else self._list())
            except KubernetesError as error:
                await asyncio.sleep(self._wait_after(error))
            except msgspec.MsgspecError as error:
                await asyncio.sleep(self._wait_after(UnreachableError(f"what came is no Kubernetes API: {error}")))

    def keys(self) -> frozenset[Key]:
        """What is there, as far as it is known."""
        return frozenset(self._known)

    def adopt(self, key: Key) -> None:
        """Count an object as known, of which another one has told."""
        self._known.add(key)

    # --- what went wrong ---

    def _wait_after(self, error: KubernetesError) -> float:
        """Note an error and return the seconds until the next try."""
        if isinstance(error, APIError):
            if not self._reached:
                # It is there again, so what went before says nothing of how long it takes.
                self._reached, self._failures = True, 0
            if error.expired:
                self._version = ""
                return self._back_off()
            if error.status == 404:
                # What is known stays: had the kind been taken away, its objects would have been deleted one by one.
                self._become("absent", f"{self.kind.plural}.{self.kind.group} is not known to the cluster")
                self.settled.set()
                return _jittered(ABSENT_SECONDS)
            if not self._version and self._streams_lists and error.status in (400, 422):
                # The server does not offer lists as streams.
                self._streams_lists = False
                return 0.0
            refused = error.status in (401, 403)
            self._become("refused" if refused else "away", str(error))
            if refused and not self._insistent:
                self.settled.set()
            # One that starts asks for five seconds, and is done in one; one that has too much to do is heeded.
            asked = error.retry_after if error.status == HTTPStatus.TOO_MANY_REQUESTS else None
            return max(asked or 0.0, self._back_off())
        self._reached = False
        self._become("away", str(error))
        return self._back_off()

    def _back_off(self) -> float:
        self._failures += 1
        return _jittered(min(FIRST_RETRY * 2.0 ** min(self._failures - 1, 10), LONGEST_RETRY))

    def _become(self, state: State, trouble: str = "") -> None:
        if state == self.state:
            self.trouble = trouble
            return
        log = _log.info if state in ("following", "absent") else _log.warning
        log("kubernetes", kind=self.kind.name, namespace=self.namespace, state=state, reason=trouble or None)
        self.state, self.trouble, self.since = state, trouble, time.time()
        if self._on_state is not None:
            self._on_state(self)

    # --- everything ---

    async def _list(self) -> None:
        found: list[Object] = []
        kept: set[Key] = set()
        token = ""
        while True:
            page_of = {"limit": str(PAGE), **({"continue": token} if token else {})}
            page = list_of.decode(await self._client.send("GET", self._path, query={**self._selector, **page_of}))
            for raw in page.items or ():
                self._take(raw, found, kept)
            token = page.metadata.continue_
            if not token:
                break
            # Thousands of objects at a stretch would keep everybody else waiting.
            await asyncio.sleep(0)
        self._replace(found, kept, page.metadata.resource_version)

    def _take(self, raw: msgspec.Raw, found: list[Object], kept: set[Key]) -> None:
        if self._unwanted(raw):
            return
        try:
            found.append(self._decode(raw))
        except UndecodableError as error:
            kept.add(self._complain(raw, error))

    def _unwanted(self, raw: msgspec.Raw) -> bool:
        if self._wanted is None:
            return False
        metadata = bare_of.decode(raw).metadata
        return not self._wanted(Key(self.kind.name, metadata.namespace, metadata.name))

    def _replace(self, found: Sequence[Object], kept: set[Key], version: str) -> None:
        """Everything there is: what was known and is not among it is gone. `kept` is there, but cannot be read."""
        there = {item.key for item in found}
        gone = self._known - there - kept
        self._known = there | (self._known & kept)
        self._version = version
        self.lists += 1
        self._sink.changed(found, sorted(gone), version=version)
        self._become("following")
        self.settled.set()

    # --- changes ---

    async def _watch(self) -> None:
        seconds = random.randint(*WATCH_SECONDS)  # noqa: S311 - not a secret
        query = {**self._selector, "watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(seconds)}
        if self._version:
            query["resourceVersion"] = self._version
        else:
            query |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        began = time.monotonic()
        async with self._client.stream(self._path, query) as stream:
            initial = _Initial() if not self._version else None
            if initial is None:
                self._become("following")
            async for lines in _lines(stream):
                initial = self._receive(lines, initial)
        if time.monotonic() - began < 1.0:
            raise UnreachableError(f"{self._client.connection.server}: ends watches at once")

    def _receive(self, lines: Iterable[bytes], initial: "_Initial | None") -> "_Initial | None":
        """Take what has come at once as one batch. Returns what of the first list is still to be told."""
        latest: dict[Key, Object | None] = {}
        self._failures = 0
        for line in lines:
            event = event_of.decode(line)
            if event.type == "ERROR":
                self._tell(latest)
                raise error_of_event(msgspec.json.decode(event.object))
            if event.type == "BOOKMARK":
                metadata = bare_of.decode(event.object).metadata
                if initial is not None and metadata.annotations.get(INITIAL_EVENTS_END) == "true":
                    self._replace(initial.found, initial.kept, metadata.resource_version)
                    initial = None
                elif initial is None:
                    self._version = metadata.resource_version
            elif initial is not None:
                self._take(event.object, initial.found, initial.kept)
            else:
                self._change(event.type, event.object, latest)
        self._tell(latest)
        return initial

    def _change(self, event: str, raw: msgspec.Raw, latest: dict[Key, Object | None]) -> None:
        if self._unwanted(raw):
            self._version = bare_of.decode(raw).metadata.resource_version
            return
        try:
            item = self._decode(raw)
        except UndecodableError as error:
            if event != "DELETED":
                self._version = bare_of.decode(raw).metadata.resource_version
                self._complain(raw, error)
                return
            metadata = bare_of.decode(raw).metadata
            key, version = Key(self.kind.name, metadata.namespace, metadata.name), metadata.resource_version
            latest[key] = None
        else:
            key, version = item.key, item.metadata.resource_version
            latest[key] = None if event == "DELETED" else item
        self._version = version

    def _tell(self, latest: dict[Key, Object | None]) -> None:
        if not latest:
            return
        put = [item for item in latest.values() if item is not None]
        gone = [key for key, item in latest.items() if item is None]
        self._known.update(item.key for item in put)
        self._known.difference_update(gone)
        for key in latest:
            self._sink.decodable(key)
        self._sink.changed(put, gone, version=self._version)

    def _complain(self, raw: msgspec.Raw, error: UndecodableError) -> Key:
        metadata = bare_of.decode(raw).metadata
        key = Key(self.kind.name, metadata.namespace, metadata.name)
        self._sink.undecodable(key, str(error))
        return key


class _Initial:
    """What has come of a first list."""

    def __init__(self) -> None:
        self.found: list[Object] = []
        self.kept: set[Key] = set()


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[list[bytes]]:
    """The whole lines of each bit that comes, together."""
    rest = b""
    try:
        while chunk := await stream.readany():
            *lines, rest = (rest + chunk).split(b"\n")
            if lines:
                yield lines
    except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
        raise UnreachableError(str(error) or type(error).__name__) from error


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret
