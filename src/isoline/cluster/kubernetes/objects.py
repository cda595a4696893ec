"""Whole objects written to the API server, by server-side apply: what controllers make, and what a person applies."""

from collections.abc import Iterable
from typing import Any

import msgspec

from isoline.cluster.identities import owned, stripped
from isoline.cluster.kubernetes import paths
from isoline.cluster.kubernetes.client import APPLY, JSON, Client
from isoline.cluster.kubernetes.decoding import Bare, decoder
from isoline.cluster.kubernetes.errors import APIError
from isoline.cluster.source import COMMAND, Action, Result
from isoline.cluster.store import Store
from isoline.objects import Key, Object
from isoline.objects.encoding import to_dict
from isoline.objects.registry import BY_NAME
from isoline.objects.workloads import Deployment

MANAGED_BY = "app.kubernetes.io/managed-by"
MADE_BY = "isoline.dev/made-by"
"""The label that says which of our controllers made an object."""
PREFIX = "isoline"
DATA = frozenset({"PersistentVolumeClaim"})
"""Kinds that hold what cannot be made again."""


class ObjectWrites:
    """Says what an object must be, and leaves to others what we do not say of it."""

    def __init__(self, client: Client, store: Store) -> None:
        self._client = client
        self._store = store

    async def apply(self, item: Object, *, origin: str, dry_run: bool) -> Result:
        """Create an object, or make it what is wanted. Raises KubernetesError, but for a refusal."""
        kind = BY_NAME[item.kind]
        key = item.key
        before = self._store.get(key)
        # What others say of it, a person has to take from them knowingly; to ask what would be is no taking.
        force = dry_run or origin != COMMAND
        query = {"fieldManager": manager_of(origin), "force": "true" if force else "false"}
        if dry_run:
            query["dryRun"] = "All"
        path = paths.item(kind, key.namespace, key.name)
        try:
            answer = await self._client.send(
                "PATCH", path, query=query, body=_body(stripped(item), origin), content_type=APPLY
            )
        except APIError as error:
            if error.status in (401, 429) or error.status >= 500:
                raise
            return Result(key, "refused", str(error))
        after = msgspec.json.decode(answer, type=Bare).metadata
        if before is None:
            return Result(key, "created")
        # A dry run counts no new version: compare what was asked for.
        same = before.metadata.resource_version == after.resource_version
        action: Action = "unchanged" if same else "configured"
        return Result(key, action)

    async def rehearse(self, item: Object, *, origin: str) -> Object:
        """Return what would become of an object if an origin wrote it, server's defaults included; nothing changes.

        What is not there yet, or would be refused, is returned as it is. Raises KubernetesError.
        """
        if self._store.get(item.key) is None:
            return item
        kind = BY_NAME[item.kind]
        query = {"fieldManager": manager_of(origin), "force": "true", "dryRun": "All"}
        path = paths.item(kind, item.metadata.namespace, item.metadata.name)
        try:
            answer = await self._client.send(
                "PATCH", path, query=query, body=_body(stripped(item), origin), content_type=APPLY
            )
        except APIError:
            return item
        return decoder(kind)(answer)

    async def delete(self, key: Key, *, origin: str, dry_run: bool) -> Result:
        """Delete an object; a controller, only what it made. Raises KubernetesError, but for a refusal."""
        if origin != COMMAND:
            current = self._store.get(key)
            if current is not None and not _made_by(current, origin):
                return Result(key, "refused", "made by somebody else")
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if dry_run:
            body["dryRun"] = ["All"]
        path = paths.item(BY_NAME[key.kind], key.namespace, key.name)
        try:
            await self._client.send("DELETE", path, body=msgspec.json.encode(body), content_type=JSON)
        except APIError as error:
            if error.status == 404:
                return Result(key, "not found")
            if error.status in (401, 429) or error.status >= 500:
                raise
            return Result(key, "refused", str(error))
        return Result(key, "deleted")

    async def reconcile_children(self, owner: Key, desired: Iterable[Object], *, manager: str) -> list[Result]:
        """Make this manager's children of an owner exactly these. Without an owner the cluster collects them itself.

        What holds data is made, and never deleted: one that names no owner stays whatever becomes of its owner.
        """
        parent = self._store.get(owner)
        if parent is None:
            return []
        children = [
            owned(stripped(child), parent) if child.metadata.owner_references else stripped(child) for child in desired
        ]
        results = [await self._apply_child(child, parent, manager) for child in children]
        wanted = {child.key for child in children}
        surplus = {key for key in self._children(parent, manager) - wanted if key.kind not in DATA}
        return results + [await self.delete(key, origin=manager, dry_run=False) for key in sorted(surplus)]

    def _children(self, parent: Object, manager: str) -> set[Key]:
        return {
            item.key
            for kind in self._store.kinds()
            for item in self._store.of_kind(kind, parent.metadata.namespace or None)
            if _made_by(item, manager) and _is_child(item, parent)
        }

    async def _apply_child(self, child: Object, parent: Object, manager: str) -> Result:
        # Of most kinds only what we manage is followed: what others made would not be in the store.
        current = self._store.get(child.key) or await self._fetch(child.key)
        if current is not None and not _may_be(current, child, parent, manager):
            return Result(child.key, "refused", "there already, and not made for this")
        return await self.apply(child, origin=manager, dry_run=False)

    async def _fetch(self, key: Key) -> Object | None:
        kind = BY_NAME[key.kind]
        try:
            return decoder(kind)(await self._client.send("GET", paths.item(kind, key.namespace, key.name)))
        except APIError as error:
            if error.status == 404:
                return None
            raise


def manager_of(origin: str) -> str:
    """Return the field manager under which an origin writes: each of our controllers has its own."""
    return f"{PREFIX}-{origin}"


def _made_by(item: Object, origin: str) -> bool:
    return item.metadata.labels.get(MADE_BY) == origin


def _may_be(current: Object, child: Object, parent: Object, manager: str) -> bool:
    """Whether what is there under a child's name was made for its parent. Data outlives parents; labels say whose."""
    if child.kind in DATA:
        labels = current.metadata.labels
        return _made_by(current, manager) and labels.items() >= child.metadata.labels.items()
    return _is_child(current, parent)


def _is_child(item: Object, parent: Object) -> bool:
    return any(owner.uid == parent.metadata.uid for owner in item.metadata.owner_references)


def _body(item: Object, origin: str) -> bytes:
    value = to_dict(item)
    # Empty, but not nothing: the server would take it for ours to say.
    value.pop("status", None)
    if origin != COMMAND:
        labels = value["metadata"].setdefault("labels", {})
        labels |= {MANAGED_BY: PREFIX, MADE_BY: origin}
        if isinstance(item, Deployment):
            # A default is not encoded, and what is not said could be changed by anybody.
            value["spec"]["replicas"] = item.spec.replicas
    return msgspec.json.encode(value)
