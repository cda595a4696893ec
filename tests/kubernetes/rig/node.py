"""A node of the rig: it plays the kubelet, with processes in the place of containers."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

from .api import Api, ApiError, Object
from .containers import Image, now
from .forwarding import Forwarder
from .networks import PodNetwork
from .pods import Pod
from .rig import Rig
from .services import Services

_ADDRESS: Final = "10.200.0.1"
_HEARTBEAT: Final = 10.0  # seconds; the controller manager gives a node up after 50


class Node:
    """A node for the time of a block: pods that the scheduler binds to it are started, probed, restarted and ended.

    `images` says what an image is, with its tag or without. Services' addresses and names are served as well, and
    claims get volumes, so the first node of a rig makes a whole cluster.
    """

    def __init__(
        self,
        rig: Rig,
        api: Api,
        images: Mapping[str, Image],
        *,
        name: str = "node",
        gpus: int = 4,
        own_networks: bool = False,
    ) -> None:
        """With `own_networks` a pod may listen at all addresses; without, it has to listen at `POD_IP`, and starts
        sooner."""
        self.name = name
        self.pods: dict[str, Pod] = {}
        """By uid."""
        self._rig = rig
        self._api = api
        self._images = images
        self._gpus = gpus
        self._own_networks = own_networks
        self._networks: dict[str, PodNetwork] = {}
        self._host_ports: dict[str, list[Forwarder]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopping: dict[str, asyncio.Task[None]] = {}
        self._services = Services(rig, api)

    async def __aenter__(self) -> Self:
        await self._register()
        self._tasks = [
            asyncio.create_task(self._serve_pods()),
            asyncio.create_task(self._keep_alive()),
            asyncio.create_task(self._bind_claims()),
            *self._services.start(),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Pods that are about to end get no more time: the node is switched off.
        tasks = (*self._tasks, *self._running.values(), *self._stopping.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(pod.stop(0) for pod in self.pods.values()))
        for forwarder in [each for every in self._host_ports.values() for each in every]:
            forwarder.end()
        for network in self._networks.values():
            network.close()
        self._services.close()
        for pod in await self._api.list_all("Pod", fieldSelector=f"spec.nodeName={self.name}"):
            await self._forget(pod)
        await self._api.delete("Node", self.name)

    def pod(self, name: str) -> Pod:
        """Return a running pod by `namespace/name`."""
        return next(pod for pod in self.pods.values() if pod.name == name)

    async def _register(self) -> None:
        # What pods are kept together, or apart, by.
        metadata = {"name": self.name, "labels": {"kubernetes.io/hostname": self.name}}
        await self._api.apply({"apiVersion": "v1", "kind": "Node", "metadata": metadata})
        room: dict[str, Any] = {"cpu": "64", "memory": "256Gi", "pods": "500", "ephemeral-storage": "1Ti"}
        room["nvidia.com/gpu"] = str(self._gpus)
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastTransitionTime": now()}
        self._status: Object = {
            "capacity": room,
            "allocatable": room,
            "conditions": [ready],
            "addresses": [{"type": "InternalIP", "address": _ADDRESS}],
        }
        await self._beat()
        # The controller manager takes this taint away too, a few seconds later.
        await self._api.patch("Node", self.name, {"spec": {"taints": None}})

    async def _beat(self) -> None:
        self._status["conditions"][0]["lastHeartbeatTime"] = now()
        await self._api.apply_status(
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.name}, "status": self._status}
        )

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(_HEARTBEAT)
            with contextlib.suppress(ApiError, OSError):
                await self._beat()

    async def _serve_pods(self) -> None:
        async for event, pod in self._api.follow("Pod", fieldSelector=f"spec.nodeName={self.name}"):
            uid = pod["metadata"]["uid"]
            if uid in self._stopping:
                continue
            if event == "DELETED" or "deletionTimestamp" in pod["metadata"]:
                grace = 0 if event == "DELETED" else pod["metadata"].get("deletionGracePeriodSeconds", 30)
                self._stopping[uid] = asyncio.create_task(self._stop(pod, grace))
            elif uid not in self.pods and pod["status"]["phase"] not in ("Succeeded", "Failed"):
                self.pods[uid] = self._new_pod(pod)
                await self._open_host_ports(pod, self.pods[uid].address)
                self._running[uid] = asyncio.create_task(self.pods[uid].run())

    def _new_pod(self, pod: Object) -> Pod:
        if pod["spec"].get("hostNetwork", False):
            return Pod(self._rig, self._api, pod, self._images, _ADDRESS)
        if not self._own_networks:
            return Pod(self._rig, self._api, pod, self._images, self._rig.namespace.new_address())
        network = self._networks[pod["metadata"]["uid"]] = PodNetwork(self._rig.namespace)
        return Pod(self._rig, self._api, pod, self._images, network.address, network=network.path)

    async def _open_host_ports(self, pod: Object, address: str) -> None:
        """Have the node's ports that a pod asks for lead to it, as long as it is there."""
        if pod["spec"].get("hostNetwork", False):
            return
        forwarders = self._host_ports[pod["metadata"]["uid"]] = []
        for port in [each for container in pod["spec"]["containers"] for each in container.get("ports", ())]:
            if "hostPort" in port and port.get("protocol", "TCP") == "TCP":
                forwarder = Forwarder(_always((address, port["containerPort"])))
                await forwarder.start(socket.create_server((_ADDRESS, port["hostPort"]), backlog=128))
                forwarders.append(forwarder)

    async def _stop(self, pod: Object, grace: float) -> None:
        uid = pod["metadata"]["uid"]
        if uid in self.pods:
            self._running[uid].cancel()
            await asyncio.gather(self._running.pop(uid), return_exceptions=True)
            await self.pods[uid].stop(grace)
            for forwarder in self._host_ports.pop(uid, []):
                forwarder.end()
            if uid in self._networks:
                self._networks.pop(uid).close()
            elif self.pods[uid].address != _ADDRESS:
                self._rig.namespace.drop_address(self.pods[uid].address)
            del self.pods[uid]
        await self._forget(pod)

    async def _forget(self, pod: Object) -> None:
        metadata = pod["metadata"]
        with contextlib.suppress(ApiError):
            await self._api.delete("Pod", metadata["name"], namespace=metadata["namespace"], gracePeriodSeconds="0")

    async def _bind_claims(self) -> None:
        """Give each claim a volume; `volumes.fill` makes the folder."""
        async for event, claim in self._api.follow("PersistentVolumeClaim"):
            if event != "ADDED" or claim["spec"].get("volumeName"):
                continue
            metadata = claim["metadata"]
            volume: Object = {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": f"rig-{metadata['uid']}"},
                "spec": {
                    "capacity": claim["spec"]["resources"]["requests"],
                    "accessModes": claim["spec"]["accessModes"],
                    "hostPath": {"path": "/var/empty"},
                    "claimRef": {key: metadata[key] for key in ("name", "namespace", "uid")},
                    "storageClassName": claim["spec"].get("storageClassName", ""),
                },
            }
            await self._api.apply(volume)


def _always(target: tuple[str, int]) -> Callable[[], list[tuple[str, int]]]:
    return lambda: [target]
