"""The control API: HTTP with JSON over a unix socket that only its owner may open."""

import contextlib
import os
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from isoline.cluster.source import Result
from isoline.console import wire
from isoline.console.admission import admission_answer
from isoline.console.certificates import certificate_of
from isoline.console.changes import changes_of
from isoline.console.context import Console, ReplicaLog
from isoline.console.describe import describe
from isoline.console.diff import difference
from isoline.console.naming import NamingError, find_key, find_kinds, find_one_kind, known_kinds
from isoline.console.plain import plain
from isoline.console.watch import event_record, follow_logs, read_logs, watch_objects
from isoline.objects import Key, Object, Secret
from isoline.objects.decoding import decode_object
from isoline.objects.registry import Kind
from isoline.routing.admission import review

CONSOLE = web.AppKey("console", Console)
LARGEST_BODY = 256 * 1024 * 1024
SHUTDOWN_SECONDS = 0.5

routes = web.RouteTableDef()
_log = structlog.get_logger(__name__)


class ControlServer:
    """Serves the control API on a socket of mode 0600, whose file goes with it."""

    def __init__(self, console: Console, path: Path) -> None:
        # A stream ends with whoever reads it, even while there is nothing to tell.
        self._runner = web.AppRunner(
            create_app(console), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, handler_cancellation=True
        )
        self._path = path

    async def start(self) -> None:
        # The state folder is ours alone while its lock is: a socket that is there was left by somebody who was killed.
        self._path.unlink(missing_ok=True)
        await self._runner.setup()
        listener = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            listener.bind(str(self._path))
        finally:
            os.umask(before)
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        await self._runner.cleanup()
        self._path.unlink(missing_ok=True)


def create_app(console: Console) -> web.Application:
    """The API as an application, for any kind of listener."""
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[_refusals])
    app[CONSOLE] = console
    app.add_routes(routes)
    return app


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except NamingError as error:
        return _json(wire.Refusal(str(error)), status=404)
    except (msgspec.MsgspecError, ValueError) as error:
        return _json(wire.Refusal(str(error)), status=400)
    except web.HTTPException:
        raise
    except Exception:
        _log.exception("the control API failed", method=request.method, path=request.path)
        return _json(wire.Refusal("Isoline failed to answer; its log says why"), status=500)


@routes.get("/summary")
async def summary(request: web.Request) -> web.Response:
    return _json(request.app[CONSOLE].summary())


@routes.get("/kinds")
async def kinds(_: web.Request) -> web.Response:
    return _json([{"kind": kind.name, "names": kind.names, "namespaced": kind.namespaced} for kind in known_kinds()])


@routes.get("/objects")
async def objects(request: web.Request) -> web.Response:
    """Listings of the kinds that `kind` names (several by comma), narrowed by `namespace` and `name`."""
    store = request.app[CONSOLE].source.store
    namespace, name, secrets = _selection(request)
    listings = []
    for kind in find_kinds(request.query.get("kind", "")):
        found = [
            plain(item, secrets=secrets)
            for item in store.of_kind(kind.name, namespace if kind.namespaced else None)
            if name is None or item.metadata.name == name
        ]
        listings.append(_listing(kind, sorted(found, key=_place)))
    return _json(listings)


@routes.get("/watch")
async def watch(request: web.Request) -> web.StreamResponse:
    store = request.app[CONSOLE].source.store
    kind = find_one_kind(request.query.get("kind", ""))
    namespace, name, secrets = _selection(request)

    def wanted(key: Key) -> bool:
        return (not key.namespace or namespace in (None, key.namespace)) and name in (None, key.name)

    return await _stream(request, watch_objects(store, kind.name, wanted, secrets=secrets))


@routes.post("/apply")
async def apply(request: web.Request) -> web.Response:
    dry_run = request.query.get("dryRun") == "true"
    results = await request.app[CONSOLE].source.apply(await _decoded(request), dry_run=dry_run)
    return _json(_outcomes(results))


@routes.post("/delete")
async def delete(request: web.Request) -> web.Response:
    references = msgspec.json.decode(await request.read(), type=list[wire.Reference])
    keys = [find_key(each.kind, each.namespace, each.name) for each in references]
    dry_run = request.query.get("dryRun") == "true"
    return _json(_outcomes(await request.app[CONSOLE].source.delete(keys, dry_run=dry_run)))


@routes.post("/diff")
async def diff(request: web.Request) -> web.Response:
    return _json(await difference(request.app[CONSOLE], await _decoded(request)))


@routes.post("/review")
async def reviewed(request: web.Request) -> web.Response:
    """What would be refused of the objects, and whom else they would harm. Nothing is changed."""
    console = request.app[CONSOLE]
    objects = {item.key: item for item in await _decoded(request)}
    found = review(console.foresee(changes_of(console.source.store, objects)).previews, objects)
    lines = {name: [str(each) for each in getattr(found, name)] for name in ("refused", "harmed", "awaited")}
    return _json(wire.Review(**lines))


@routes.post("/admission")
async def admission(request: web.Request) -> web.Response:
    """Answers a review of Kubernetes' admission, as a webhook is asked."""
    console = request.app[CONSOLE]
    asked = msgspec.json.decode(await request.read(), type=dict[str, Any])
    return _json(admission_answer(asked, console.source.store, console.foresee))


@routes.get("/describe")
async def description(request: web.Request) -> web.Response:
    key = _key(request)
    found = await describe(request.app[CONSOLE], key)
    if found is None:
        raise NamingError(f"there is no {key}")
    return _json(found)


@routes.get("/logs")
async def logs(request: web.Request) -> web.StreamResponse:
    """Log lines of an App or a Deployment; of one replica only with `replica`, then as they come with `follow`."""
    console = request.app[CONSOLE]
    deployment = _deployment(console, request.query.get("name", ""), request.query.get("namespace", "default"))
    replica = request.query.get("replica")
    since = float(request.query["since"]) if "since" in request.query else None
    tail = int(request.query["tail"]) if "tail" in request.query else None

    def chosen() -> list[ReplicaLog]:
        return [each for each in console.logs(deployment) if replica in (None, each.replica)]

    if replica is not None and not chosen():
        known = ", ".join(dict.fromkeys(each.replica for each in console.logs(deployment))) or "none"
        raise NamingError(f"{deployment} has no replica {replica}; there are: {known}")
    if request.query.get("follow") == "true":
        return await _stream(request, follow_logs(chosen, since=since, tail=tail))
    return await _stream(request, _each(read_logs(chosen(), since=since, tail=tail)))


@routes.get("/events")
async def events(request: web.Request) -> web.StreamResponse:
    log = request.app[CONSOLE].source.events
    after = int(request.query.get("after", "0"))
    if request.query.get("follow") == "true":
        return await _stream(request, (event_record(event) async for event in log.follow(after)))
    return await _stream(request, _each([event_record(event) for event in log.after(after)]))


@routes.get("/certificates")
async def certificates(request: web.Request) -> web.Response:
    """What every Secret with a certificate holds of it."""
    records = []
    for item in request.app[CONSOLE].source.store.of_kind("Secret"):
        facts = certificate_of(item) if isinstance(item, Secret) else None
        if facts is not None:
            records.append(
                wire.CertificateRecord(
                    secret=f"{item.metadata.namespace}/{item.metadata.name}",
                    names=list(facts.names),
                    issuer=facts.issuer,
                    not_before=facts.not_before.timestamp(),
                    not_after=facts.not_after.timestamp(),
                )
            )
    return _json(records)


@routes.get("/problems")
async def problems(request: web.Request) -> web.Response:
    return _json([problem.text for problem in request.app[CONSOLE].source.problems])


def _json(value: object, *, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


async def _stream(request: web.Request, records: AsyncIterator[msgspec.Struct]) -> web.StreamResponse:
    """One JSON record a line, each sent as it comes."""
    response = web.StreamResponse(headers={"Content-Type": "application/jsonl"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):  # whoever read it has gone
        async for record in records:
            await response.write(msgspec.json.encode(record) + b"\n")
    return response


async def _each(records: Sequence[msgspec.Struct]) -> AsyncIterator[msgspec.Struct]:
    for record in records:
        yield record


async def _decoded(request: web.Request) -> list[Object]:
    bodies = msgspec.json.decode(await request.read(), type=list[msgspec.Raw])
    return [decode_object(bytes(body)) for body in bodies]


def _selection(request: web.Request) -> tuple[str | None, str | None, bool]:
    query = request.query
    return query.get("namespace"), query.get("name"), query.get("secrets") == "true"


def _key(request: web.Request) -> Key:
    query = request.query
    return find_key(query.get("kind", ""), query.get("namespace", ""), query.get("name", ""))


def _deployment(console: Console, name: str, namespace: str) -> Key:
    """The Deployment that an App, or a Deployment, of this name runs as."""
    key = Key("Deployment", namespace, name)
    if console.source.store.get(key) is None and console.source.store.get(Key("App", namespace, name)) is None:
        known = sorted({item.metadata.name for item in console.source.store.of_kind("Deployment", namespace)})
        raise NamingError(f"there is no app or deployment {namespace}/{name}; there are: {', '.join(known) or 'none'}")
    return key


def _listing(kind: Kind, items: list[dict[str, Any]]) -> wire.Listing:
    return wire.Listing(kind=kind.name, resource=kind.names[1], namespaced=kind.namespaced, items=items)


def _place(item: dict[str, Any]) -> tuple[str, str]:
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _outcomes(results: Sequence[Result]) -> list[wire.Outcome]:
    return [wire.Outcome(wire.Reference(*result.key), result.action, result.note) for result in results]
