"""What an app's pods print, as the API server hands it on."""

import asyncio
import queue
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from isoline.cli.cluster_console import Background
from isoline.cli.errors import FoundWrongError
from isoline.cluster.kubernetes.client import Client
from isoline.cluster.kubernetes.connection import Connection
from isoline.cluster.kubernetes.errors import APIError, KubernetesError
from isoline.console.wire import LogRecord

Query = Mapping[str, str | None]


class _Metadata(msgspec.Struct):
    name: str = ""


class _Container(msgspec.Struct):
    name: str


class _PodSpec(msgspec.Struct):
    containers: list[_Container] = []


class _Pod(msgspec.Struct):
    metadata: _Metadata
    spec: _PodSpec


class _Pods(msgspec.Struct):
    items: list[_Pod]


class _Selector(msgspec.Struct, rename="camel"):
    match_labels: dict[str, str] = {}


class _DeploymentSpec(msgspec.Struct):
    selector: _Selector


class _Deployment(msgspec.Struct):
    spec: _DeploymentSpec


class _Place(NamedTuple):
    namespace: str
    pod: str
    container: str


def pod_logs(background: Background, connection: Connection, query: Query) -> Iterator[LogRecord]:
    """Yield the lines that the query of the control API's `logs` asks for; each pod's in order.

    Raises FoundWrongError when there is no such Deployment, or the server refuses.
    """
    lines: queue.Queue[LogRecord | BaseException | None] = queue.Queue(maxsize=1000)
    working = background.start(_collect(connection, query, lines))
    try:
        while True:
            line = lines.get()
            if line is None:
                return
            if isinstance(line, BaseException):
                raise FoundWrongError(str(line)) from line
            yield line
    finally:
        working.cancel()


async def _collect(
    connection: Connection, query: Query, lines: "queue.Queue[LogRecord | BaseException | None]"
) -> None:
    client = Client(connection)
    end: BaseException | None = None
    try:
        places = await _places(client, query)
        if query.get("follow") == "true":
            await asyncio.gather(*(_read(client, place, query, lines) for place in places))
        else:
            for place in places:
                await _read(client, place, query, lines)
    except KubernetesError as error:
        end = error
    finally:
        await client.close()
        await asyncio.to_thread(lines.put, end)


async def _places(client: Client, query: Query) -> Sequence[_Place]:
    namespace, name = query.get("namespace") or "default", query.get("name") or ""
    try:
        body = await client.send("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
    except APIError as error:
        if error.status == 404:
            raise KubernetesError(f"there is no app or deployment {namespace}/{name}") from error
        raise
    labels = msgspec.json.decode(body, type=_Deployment).spec.selector.match_labels
    selector = ",".join(f"{label}={value}" for label, value in labels.items())
    found = await client.send("GET", f"/api/v1/namespaces/{namespace}/pods", query={"labelSelector": selector})
    pods = msgspec.json.decode(found, type=_Pods).items
    replica = query.get("replica")
    if replica is not None and all(pod.metadata.name != replica for pod in pods):
        known = ", ".join(pod.metadata.name for pod in pods) or "none"
        raise KubernetesError(f"{namespace}/{name} has no replica {replica}; there are: {known}")
    return [
        _Place(namespace, pod.metadata.name, container.name)
        for pod in pods
        if replica in (None, pod.metadata.name)
        for container in pod.spec.containers
    ]


async def _read(
    client: Client, place: _Place, query: Query, lines: "queue.Queue[LogRecord | BaseException | None]"
) -> None:
    asked = {"container": place.container, "timestamps": "true"}
    if query.get("follow") == "true":
        asked["follow"] = "true"
    if (tail := query.get("tail")) is not None:
        asked["tailLines"] = tail
    if (since := query.get("since")) is not None:
        asked["sinceTime"] = datetime.fromtimestamp(float(since), UTC).isoformat().replace("+00:00", "Z")
    path = f"/api/v1/namespaces/{place.namespace}/pods/{place.pod}/log"
    async with client.stream(path, asked) as stream:
        rest = b""
        while chunk := await stream.readany():
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                # A terminal that does not keep up holds up the stream, not this process's memory.
                await asyncio.to_thread(lines.put, _record(place, line))
        if rest:
            await asyncio.to_thread(lines.put, _record(place, rest))


def _record(place: _Place, line: bytes) -> LogRecord:
    moment, _, text = line.decode(errors="replace").partition(" ")
    return LogRecord(at=_seconds(moment), replica=place.pod, container=place.container, text=text)


def _seconds(moment: str) -> float:
    """Kubernetes writes nanoseconds, of which Python reads six digits."""
    whole, _, fraction = moment.removesuffix("Z").partition(".")
    try:
        return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00").timestamp()
    except ValueError:
        return 0.0
