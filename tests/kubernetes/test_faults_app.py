"""An app gets a new version, and one of its replicas dies, while people use it."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from isoline.objects.crds import crd_documents
from kubernetes.load import PATIENCE, Load, echoes
from kubernetes.planes import Edge, defined, emptied_of_apps, listening_at, new_namespace, options_for, running
from kubernetes.rig import Api, Image, Node, Object, Rig

PROGRAM = """
import os, weakref
from aiohttp import WSCloseCode, web
sockets = weakref.WeakSet()
async def answer(_):
    return web.Response(text=os.environ["VERSION"])
async def echo(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    sockets.add(socket)
    async for message in socket:
        await socket.send_str(message.data)
    return socket
async def close(_):
    for socket in set(sockets):
        await socket.close(code=WSCloseCode.GOING_AWAY, message=b"another version")
app = web.Application()
app.router.add_get("/ws", echo)
app.router.add_route("*", "/", answer)
app.on_shutdown.append(close)
web.run_app(app, host=os.environ["POD_IP"], port=int(os.environ["PORT"]), print=None)
"""
IMAGES = {f"own/chat:{version}": Image((sys.executable,), {"VERSION": version}) for version in ("1", "2")}


def chat(namespace: str, version: str) -> Object:
    # One that is asked to end is taken out of service first: its requests and WebSockets are its own to end.
    run = {
        "image": f"own/chat:{version}",
        "args": ["-c", PROGRAM],
        "port": 5000,
        # A machine with other work to do must not take the replica that lives for one that does not.
        "probes": {"readiness": {"httpGet": {"path": "/", "port": 5000}, "periodSeconds": 1, "timeoutSeconds": 20}},
    }
    return {
        "apiVersion": "isoline.dev/v1alpha1",
        "kind": "App",
        "metadata": {"name": "chat", "namespace": namespace},
        "spec": {"run": run, "host": "chat.example", "scale": {"min": 2}, "tls": {"secretName": "chat"}},
    }


def ready(item: Object, version: str) -> bool:
    """Whether this version runs whole, and nothing else."""
    status = item.get("status", {})
    current = bool(status.get("observedGeneration") == item["metadata"]["generation"])
    return current and (status.get("version"), status.get("readyReplicas")) == (version, 2)


def came_back(pod: Object) -> bool:
    """Whether a pod is ready, and was started again."""
    (container,) = pod["status"]["containerStatuses"]
    return bool(container["restartCount"] and container["ready"])


@asynccontextmanager
async def used(rig: Rig, api: Api, folder: Path, *methods: str) -> AsyncIterator[tuple[Load, Node, str]]:
    """The app in its first version, and people who use it."""
    (definition,) = (each for each in crd_documents() if each["spec"]["names"]["kind"] == "App")
    namespace = await new_namespace(api)
    address = rig.namespace.new_address()
    options = options_for(rig, namespace, adjust=listening_at(address))
    chain, key = rig.authority.issue("chat.example", ["chat.example"])
    await api.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "chat", "namespace": namespace},
            "type": "kubernetes.io/tls",
            "stringData": {"tls.crt": chain.decode(), "tls.key": key.decode()},
        }
    )
    async with (
        defined(api, definition),
        emptied_of_apps(api, namespace),
        Node(rig, api, IMAGES) as node,
        running(options),
        Edge(rig, folder, options, address=address),
    ):
        await api.apply(chat(namespace, "1"))
        await api.wait("App", "chat", lambda each: ready(each, "1"), namespace=namespace)
        authority = rig.authority.certificate
        await served(address, authority)
        async with Load(address, "chat.example", methods=methods, authority=authority) as load:
            await load.more()
            yield load, node, namespace


async def served(address: str, authority: bytes) -> None:
    """Wait until the site is there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with Load(address, "chat.example", authority=authority) as load:
                with contextlib.suppress(AssertionError):
                    return await load.more(1)
            await asyncio.sleep(0.1)


async def test_a_new_version_takes_over_and_websockets_are_told(rig: Rig, api: Api, tmp_path: Path) -> None:
    # What is sent must not be sent twice.
    async with used(rig, api, tmp_path, "GET", "POST") as (load, _, namespace):
        held = [await load.websocket() for _ in range(4)]
        await api.apply(chat(namespace, "2"))
        ends = await asyncio.gather(*(each.receive(timeout=PATIENCE) for each in held))
        await api.wait("App", "chat", lambda each: ready(each, "2"), namespace=namespace)
        await load.more()
        await echoes(await load.websocket())
    assert {(end.type, end.data, end.extra) for end in ends} == {
        (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY, "another version")
    }


async def test_a_replica_dies_and_the_other_one_answers_until_it_is_back(rig: Rig, api: Api, tmp_path: Path) -> None:
    async with used(rig, api, tmp_path, "GET") as (load, node, namespace):
        pods = await api.list_all("Pod", namespace=namespace)
        assert len(pods) == 2
        killed = pods[0]["metadata"]["name"]
        node.pod(f"{namespace}/{killed}").kill("chat")
        before = load.answered
        await api.wait("Pod", killed, came_back, namespace=namespace)
        assert load.answered > before
        await api.wait("App", "chat", lambda each: ready(each, "1"), namespace=namespace)
        # What was under way when it died may have failed; nothing fails any more.
        load.failures.clear()
        await load.more()
