"""A small client of the rig's API server, for tests and for the node."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import aiohttp
import yaml

from .rig import SERVER, Rig

Object = dict[str, Any]

_FIELD_MANAGER: Final = "rig"
_RETRY: Final = 0.2  # seconds
_AT_ONCE: Final = 50  # requests; the API server of a rig has two cores at most


class ApiError(Exception):
    """What the API server refused, with its Status."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"{status}: {body.get('message', body)}")
        self.status = status
        self.body = body


class _Resource(NamedTuple):
    path: str
    """Of the group and version, such as `/apis/apps/v1`."""
    plural: str
    namespaced: bool


class Api:
    """The API server, as `admin` unless another user is named. Used inside the rig's network."""

    def __init__(self, rig: Rig, user: str = "admin") -> None:
        self._rig = rig
        self._user = user
        self._resources: dict[tuple[str, str], _Resource] = {}

    async def __aenter__(self) -> Self:
        context = ssl.create_default_context(cadata=self._rig.authority.certificate.decode())
        self._session = aiohttp.ClientSession(
            SERVER,
            connector=aiohttp.TCPConnector(ssl=context, limit=0),
            headers={"Authorization": f"Bearer {self._rig.user(self._user).token}"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def apply(self, wanted: Object) -> Object:
        """Create or change an object, by server-side apply; return it as it stands."""
        headers = {"Content-Type": "application/apply-patch+yaml"}
        query = {"fieldManager": _FIELD_MANAGER, "force": "true"}
        path = await self._path_of(wanted)
        return await self._request("PATCH", path, params=query, headers=headers, data=json.dumps(wanted))

    async def apply_all(self, wanted: Iterable[Object]) -> list[Object]:
        """Apply many, up to 50 at a time."""
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(each: Object) -> Object:
            async with turn:
                return await self.apply(each)

        return await asyncio.gather(*(one(each) for each in wanted))

    async def create_all(self, wanted: Iterable[Object]) -> None:
        """Create many, up to 50 at a time: quicker than to apply them."""
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(each: Object) -> None:
            resource = await self._resource(each["kind"], each["apiVersion"])
            path = _join(resource, "", each["metadata"].get("namespace", "default"))
            async with turn:
                await self._request("POST", path, json=each)

        await asyncio.gather(*(one(each) for each in wanted))

    async def apply_files(self, *paths: Path) -> None:
        """Apply every document of some YAML files, then wait until the kinds that they define can be used."""
        documents = [each for path in paths for each in yaml.safe_load_all(path.read_text()) if each]
        applied = await self.apply_all(documents)
        for each in applied:
            if each["kind"] == "CustomResourceDefinition":
                await self.wait("CustomResourceDefinition", each["metadata"]["name"], _established)

    async def apply_status(self, wanted: Object) -> Object:
        """Merge the status of an object."""
        path = await self._path_of(wanted)
        headers = {"Content-Type": "application/merge-patch+json"}
        data = json.dumps({"status": wanted["status"]})
        return await self._request("PATCH", f"{path}/status", headers=headers, data=data)

    async def patch(self, kind: str, name: str, changes: Object, *, namespace: str = "default") -> Object:
        """Merge changes into an object."""
        path = await self._path(kind, name, namespace)
        headers = {"Content-Type": "application/merge-patch+json"}
        return await self._request("PATCH", path, headers=headers, data=json.dumps(changes))

    async def get(self, kind: str, name: str, *, namespace: str = "default") -> Object:
        """Return an object; raises ApiError with status 404 if it is not there."""
        return await self._request("GET", await self._path(kind, name, namespace))

    async def list_all(self, kind: str, *, namespace: str | None = None, **query: str) -> list[Object]:
        """Return all objects of a kind, of every namespace unless one is named."""
        found = await self._request("GET", await self._path(kind, "", namespace), params=query)
        items: list[Object] = found["items"]
        return items

    async def delete(self, kind: str, name: str, *, namespace: str = "default", **query: str) -> None:
        """Delete an object; it may stand until its finalizers are done, or its grace period over."""
        await self._request("DELETE", await self._path(kind, name, namespace), params=query)

    async def token(self, account: str, *, namespace: str = "default", seconds: int = 3600) -> str:
        """Return a token of a service account, for so many seconds."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        made = await self._request("POST", path, json=wanted | {"spec": {"expirationSeconds": seconds}})
        token: str = made["status"]["token"]
        return token

    async def watch(
        self, kind: str, *, namespace: str | None = None, **query: str
    ) -> AsyncIterator[tuple[str, Object]]:
        """Give what there is as ADDED, then each change, until the API server ends the watch."""
        path = await self._path(kind, "", namespace)
        async with self._session.get(path, params={"watch": "true", **query}) as response:
            if response.status >= 400:
                raise ApiError(response.status, await response.json())
            buffer = b""
            async for chunk in response.content.iter_any():
                *lines, buffer = (buffer + chunk).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    yield event["type"], event["object"]

    async def follow(self, kind: str, **query: str) -> AsyncIterator[tuple[str, Object]]:
        """As `watch`, of all namespaces and without an end: what was missed while the API server was away is told."""
        known: dict[str, Object] = {}
        while True:
            with contextlib.suppress(ApiError, aiohttp.ClientError, OSError):
                found = await self._request("GET", await self._path(kind, "", None), params=query)
                names = {"apiVersion": found["apiVersion"], "kind": kind}
                present = {each["metadata"]["uid"]: names | each for each in found["items"]}
                events = [("DELETED", known[uid]) for uid in known.keys() - present.keys()]
                for event in [*events, *(("ADDED", each) for each in present.values())]:
                    yield event
                known = present
                version = found["metadata"]["resourceVersion"]
                async for change, each in self.watch(kind, resourceVersion=version, **query):
                    if change == "ERROR":
                        break
                    known[each["metadata"]["uid"]] = each
                    if change == "DELETED":
                        del known[each["metadata"]["uid"]]
                    yield change, each
            await asyncio.sleep(_RETRY)

    async def wait(
        self,
        kind: str,
        name: str,
        accepted: Callable[[Object], bool],
        *,
        namespace: str = "default",
        within: float = 60,
    ) -> Object:
        """Return the object once it is there and `accepted`; raises TimeoutError with how it stands."""
        last: Object | None = None
        try:
            async with asyncio.timeout(within):
                while True:
                    events = self.watch(kind, namespace=namespace, fieldSelector=f"metadata.name={name}")
                    async for event, each in events:
                        last = each
                        if event != "DELETED" and accepted(each):
                            return each
        except TimeoutError:
            raise TimeoutError(f"{kind} {namespace}/{name} stands like this: {json.dumps(last)}") from None

    async def _path_of(self, thing: Object) -> str:
        metadata = thing["metadata"]
        resource = await self._resource(thing["kind"], thing["apiVersion"])
        return _join(resource, metadata["name"], metadata.get("namespace", "default"))

    async def _path(self, kind: str, name: str, namespace: str | None) -> str:
        return _join(await self._resource(kind), name, namespace)

    async def _resource(self, kind: str, version: str = "") -> _Resource:
        """Look a kind up; of several versions the API server's favourite comes first."""
        if (version, kind) not in self._resources:
            versions = [version] if version else await self._versions()
            for each in versions:
                path = f"/apis/{each}" if "/" in each else f"/api/{each}"
                for known in (await self._request("GET", path))["resources"]:
                    if "/" not in known["name"]:
                        found = _Resource(path, known["name"], known["namespaced"])
                        for key in ((each, known["kind"]), ("", known["kind"])):
                            self._resources.setdefault(key, found)
        try:
            return self._resources[version, kind]
        except KeyError:
            raise LookupError(f"the API server knows no {version} {kind}") from None

    async def _versions(self) -> list[str]:
        groups = (await self._request("GET", "/apis"))["groups"]
        return ["v1", *(version["groupVersion"] for group in groups for version in group["versions"])]

    async def _request(self, method: str, path: str, **rest: Any) -> Object:
        async with self._session.request(method, path, **rest) as response:
            body: Object = await response.json(content_type=None)
            if response.status >= 400:
                raise ApiError(response.status, body)
            return body


def _join(resource: _Resource, name: str, namespace: str | None) -> str:
    middle = f"/namespaces/{namespace}" if resource.namespaced and namespace else ""
    return f"{resource.path}{middle}/{resource.plural}" + (f"/{name}" if name else "")


def _established(definition: Object) -> bool:
    conditions = definition.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
