"""Statuses on their way to the API server: many at a time, the newest of each object only, each until it is there."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from isoline.cluster.kubernetes import paths
from isoline.cluster.kubernetes.client import APPLY, Client
from isoline.cluster.kubernetes.errors import APIError, KubernetesError
from isoline.objects import Key
from isoline.objects.encoding import to_dict
from isoline.objects.registry import BY_NAME

WRITERS = 16
FIELD_MANAGER = "isoline"
FIRST_RETRY = 0.1
LONGEST_RETRY = 30.0

_log = structlog.get_logger(__name__)


class StatusWrites:
    """Writes statuses by server-side apply: what we do not set, others may; what we no longer set, goes."""

    def __init__(self, client: Client, on_written: Callable[[Key, bytes], None]) -> None:
        self.written = 0
        self.failed = 0
        self._client = client
        self._on_written = on_written
        self._pending: dict[Key, msgspec.Struct] = {}
        self._active: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._some = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: list[asyncio.Task[None]] = []
        self._later: dict[Key, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._pending) + len(self._active) + len(self._later)

    def put(self, key: Key, status: msgspec.Struct) -> None:
        """Have this written soon, in place of whatever still waits for this object."""
        self._drop_later(key)
        self._pending.pop(key, None)
        self._pending[key] = status
        self._idle.clear()
        self._some.set()

    def clear(self) -> None:
        """Forget what has not been written."""
        for key in list(self._later):
            self._drop_later(key)
        self._pending.clear()
        self._rest()

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._write(newest=number % 2 == 0), name="status writer") for number in range(WRITERS)
        ]

    async def idle(self) -> None:
        """Wait until all is written."""
        await self._idle.wait()

    async def stop(self) -> None:
        self.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _write(self, *, newest: bool) -> None:
        while True:
            key = self._next(newest=newest)
            if key is None:
                self._some.clear()
                await self._some.wait()
                continue
            status = self._pending.pop(key)
            self._active.add(key)
            try:
                await self._write_one(key, status)
            finally:
                self._active.discard(key)
                self._rest()
            if key in self._pending:
                self._some.set()

    def _next(self, *, newest: bool) -> Key | None:
        # What has just changed is looked at by somebody, and must not wait for the thousands of a start; that these
        # wait for ever is prevented by the other half of the writers.
        waiting = reversed(self._pending) if newest else iter(self._pending)
        # Two writes of one object at the same time might arrive in the wrong order.
        return next((key for key in waiting if key not in self._active), None)

    async def _write_one(self, key: Key, status: msgspec.Struct) -> None:
        try:
            answer = await self._client.send(
                "PATCH",
                paths.item(BY_NAME[key.kind], key.namespace, key.name, part="status"),
                # A status is ours to say, also where another controller said it before us.
                query={"fieldManager": FIELD_MANAGER, "force": "true"},
                body=body_of(key, status),
                content_type=APPLY,
            )
        except APIError as error:
            if error.status == 404:
                # It has gone meanwhile.
                self._failures.pop(key, None)
            elif 400 <= error.status < 500 and error.status not in (401, 403, 409, 429):
                self.failed += 1
                _log.error("status refused", key=str(key), message=str(error))
            else:
                self._again(key, status, error)
        except KubernetesError as error:
            self._again(key, status, error)
        else:
            self.written += 1
            self._failures.pop(key, None)
            self._on_written(key, answer)

    def _again(self, key: Key, status: msgspec.Struct, error: KubernetesError) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self.failed += 1
        if failures in (1, 10):
            _log.warning("status not written", key=str(key), message=str(error), tries=failures)
        if key in self._pending:
            return
        asked = error.retry_after if isinstance(error, APIError) else None
        wait = asked or min(FIRST_RETRY * 2.0 ** min(failures, 10), LONGEST_RETRY)
        jittered = wait * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret
        self._later[key] = asyncio.get_running_loop().call_later(jittered, self.put, key, status)

    def _drop_later(self, key: Key) -> None:
        timer = self._later.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _rest(self) -> None:
        if not len(self):
            self._idle.set()


def body_of(key: Key, status: msgspec.Struct) -> bytes:
    """Return what is applied: who is meant, and the status as a whole."""
    kind = BY_NAME[key.kind]
    metadata: dict[str, Any] = {"name": key.name}
    if key.namespace:
        metadata["namespace"] = key.namespace
    return msgspec.json.encode(
        {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, "status": to_dict(status)}
    )
