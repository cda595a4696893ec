"""Our events as Kubernetes' events, so that `kubectl describe` shows them: one object for what repeats."""

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from isoline.cluster.events import Event, EventLog
from isoline.cluster.kubernetes.client import APPLY, Client
from isoline.cluster.kubernetes.errors import KubernetesError
from isoline.cluster.kubernetes.statuses import FIELD_MANAGER
from isoline.cluster.store import Store
from isoline.objects.registry import BY_NAME

COMPONENT = "isoline"
CLUSTER_WIDE = "default"
"""Where events of objects without a namespace are kept, by Kubernetes' custom."""

_log = structlog.get_logger(__name__)


class EventWriter:
    """Writes what happens from now on, one after the other, while `may_write` says so."""

    def __init__(self, client: Client, store: Store, events: EventLog, *, may_write: Callable[[], bool]) -> None:
        self._client = client
        self._store = store
        self._events = events
        self._may_write = may_write
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="event writer")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        async for event in self._events.follow(self._events.position):
            about = self._store.get(event.about)
            if about is None or not self._may_write():
                continue
            body = event_object(event, uid=about.metadata.uid)
            place, name = body["metadata"]["namespace"], body["metadata"]["name"]
            try:
                await self._client.send(
                    "PATCH",
                    f"/api/v1/namespaces/{place}/events/{name}",
                    query={"fieldManager": FIELD_MANAGER, "force": "true"},
                    body=msgspec.json.encode(body),
                    content_type=APPLY,
                )
            except KubernetesError as error:
                # An event is worth one try: what it tells of is in statuses and in the log as well.
                _log.info("event not written", about=str(event.about), reason=event.reason, message=str(error))


def event_object(event: Event, *, uid: str) -> dict[str, Any]:
    """Return the `v1` Event. Its name says what it is about and what is said, so what is said again is counted."""
    about = event.about
    said = f"{about} {uid} {event.type} {event.reason} {event.message}"
    digest = hashlib.blake2b(said.encode(), digest_size=8).hexdigest()
    place = about.namespace or CLUSTER_WIDE
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{about.name[:230]}.{digest}", "namespace": place},
        "involvedObject": {
            "apiVersion": BY_NAME[about.kind].api_version,
            "kind": about.kind,
            "name": about.name,
            **({"namespace": about.namespace} if about.namespace else {}),
            "uid": uid,
        },
        "type": event.type,
        "reason": event.reason,
        "message": event.message[:1024],
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "firstTimestamp": _time(event.first_seen),
        "lastTimestamp": _time(event.last_seen),
        "count": event.count,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
