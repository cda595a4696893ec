"""The chart where Envoy has the node's own ports: traffic comes to the node, and an Envoy is replaced when nobody has
anything open at it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from kubernetes.charts import CHART, Release, emptied, images, undefined
from kubernetes.load import PATIENCE, Load, app, echoes
from kubernetes.planes import proxy
from kubernetes.rig import Api, ApiError, Node, Object, Rig

NAMESPACE = "edges"
NODE = "10.200.0.1"
HOST = "shop.example"
QUICK = (
    *("envoy.minReadySeconds=0", "envoy.concurrency=1", "envoy.drain.delay=0s", "envoy.drain.checkInterval=100ms"),
    *("controlPlane.replicas=1", f"statusAddresses={{{NODE}}}"),
)


@pytest.fixture
async def release(rig: Rig, api: Api) -> AsyncIterator[Release]:
    """A release in a namespace that lets in pods with rights on their node."""
    labels = {"pod-security.kubernetes.io/enforce": "privileged"}
    await api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    async with Node(rig, api, images(), own_networks=True), undefined(api), emptied(api, NAMESPACE):
        yield Release(rig, "isoline", NAMESPACE)


@asynccontextmanager
async def shop(rig: Rig, api: Api) -> AsyncIterator[bytes]:
    """An app that answers on both schemes; gives the authority of its certificate, as PEM."""
    chain, key = rig.authority.issue(HOST, [HOST])
    secret: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "shop", "namespace": NAMESPACE},
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": chain.decode(), "tls.key": key.decode()},
    }
    route = {"services": [{"name": "app", "port": 80}], "enableWebsockets": True, "permitInsecure": True}
    host = {"fqdn": HOST, "tls": {"secretName": "shop"}}
    async with app(api, NAMESPACE, rig.namespace.new_address()):
        await api.apply_all([secret, proxy("shop", NAMESPACE, virtualhost=host, routes=[route])])
        yield rig.authority.certificate


async def answers(authority: bytes) -> None:
    """Wait until the node answers on both ports, with what the app says."""
    async with asyncio.timeout(PATIENCE):
        for port, trust in ((80, None), (443, authority)):
            while True:
                async with Load(NODE, HOST, body="hello", authority=trust, port=port) as load:
                    with contextlib.suppress(AssertionError):
                        await load.more(1)
                        break
                await asyncio.sleep(0.1)


async def nobody_answers() -> None:
    """Wait until the node takes no connection."""
    async with aiohttp.ClientSession() as client, asyncio.timeout(PATIENCE):
        while True:
            try:
                async with client.get(f"http://{NODE}/", headers={"Host": HOST}):
                    await asyncio.sleep(0.1)
            except aiohttp.ClientConnectorError:
                return
            except aiohttp.ClientError:
                continue


async def edge(api: Api) -> Object:
    """The pod of Envoy, of which there is one a node, and one node."""
    (found,) = await api.list_all("Pod", namespace=NAMESPACE, labelSelector="app.kubernetes.io/component=envoy")
    return found


async def replaced(release: Release, api: Api, authority: bytes, *values: str) -> None:
    """Change the release while somebody has a WebSocket open, so that its Envoy is replaced.

    The old one serves for as long as that lasts; the next one comes when it has gone, and meanwhile nobody answers.
    """
    old = (await edge(api))["metadata"]
    async with Load(NODE, HOST, body="hello", authority=authority, port=443, rate=25) as load:
        held = await load.websocket()
        change = asyncio.create_task(release.upgrade(CHART, *QUICK, *values, hooks=False))
        await api.wait("Pod", old["name"], lambda pod: "deletionTimestamp" in pod["metadata"], namespace=NAMESPACE)
        await load.more(20)
        await echoes(held)
        assert (await edge(api))["metadata"]["uid"] == old["uid"]
        await held.close()
        await change
        assert (await edge(api))["metadata"]["uid"] != old["uid"]
        # Whoever came between the two found nobody; nobody was told anything wrong, or kept waiting.
        assert not [each for each in load.failures if "Connect" not in each and "Disconnected" not in each]
    await answers(authority)


@pytest.mark.timeout(400)
async def test_the_nodes_ports_lead_to_envoy_and_it_is_replaced_in_its_own_time(
    release: Release, rig: Rig, api: Api
) -> None:
    assert "Install complete" in await release.install(CHART, *QUICK, "envoy.mode=HostPort")
    async with shop(rig, api) as authority:
        await answers(authority)
        assert (await edge(api))["status"]["podIP"] != NODE
        told = await api.wait("HTTPProxy", "shop", lambda each: "loadBalancer" in each["status"], namespace=NAMESPACE)
        assert told["status"]["loadBalancer"]["ingress"] == [{"ip": NODE}]
        await replaced(release, api, authority, "envoy.mode=HostPort", "envoy.logLevel=info")

        # Another mode brings other ports, which the old Envoy is told as well: it is not asked for more.
        await release.upgrade(CHART, *QUICK, "envoy.mode=HostNetwork", hooks=False)
        await answers(authority)
        assert (await edge(api))["status"]["podIP"] == NODE
        await replaced(release, api, authority, "envoy.mode=HostNetwork", "envoy.logLevel=info")

        await release.uninstall()
        with pytest.raises(ApiError, match="not found"):
            await api.get("DaemonSet", "isoline-envoy", namespace=NAMESPACE)
        await nobody_answers()
