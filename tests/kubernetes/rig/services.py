"""Plays kube-proxy and the cluster's DNS: Services have addresses that answer, and names."""

import asyncio
import functools
from collections import defaultdict

from .api import Api, Object
from .forwarding import Forwarder
from .networks import ServiceNetwork
from .rig import SERVICE_ADDRESSES, Rig

_Key = tuple[str, str]


class Services:
    """Forwards connections to a Service's address to a ready endpoint, and writes `/etc/hosts` for pods."""

    def __init__(self, rig: Rig, api: Api) -> None:
        self._rig = rig
        self._api = api
        self._hosts = rig.folder / "hosts"
        self._services: dict[_Key, Object] = {}
        self._slices: dict[_Key, dict[str, Object]] = defaultdict(dict)
        self._forwarders: dict[_Key, list[Forwarder]] = {}
        self._ended: list[Forwarder] = []
        """Those of Services that have gone, which keep what was open."""

    def start(self) -> list[asyncio.Task[None]]:
        """Return the tasks that follow Services and their endpoints."""
        self._hosts.mkdir(exist_ok=True)
        self._network = ServiceNetwork(self._rig.namespace, SERVICE_ADDRESSES)
        return [asyncio.create_task(self._follow_services()), asyncio.create_task(self._follow_slices())]

    def close(self) -> None:
        """Answer no longer."""
        for key in list(self._forwarders):
            self._close(key)
        for forwarder in self._ended:
            forwarder.end()
        self._network.close()

    async def _follow_services(self) -> None:
        async for event, service in self._api.follow("Service"):
            key = (service["metadata"]["namespace"], service["metadata"]["name"])
            if event == "DELETED":
                self._services.pop(key, None)
                self._close(key)
            else:
                new = key not in self._services
                self._services[key] = service
                if new and self._address(service):
                    await self._open(key, service)
                if new and service["spec"]["type"] == "LoadBalancer":
                    await self._balance(service)
            self._write_names()

    async def _follow_slices(self) -> None:
        async for event, each in self._api.follow("EndpointSlice"):
            metadata = each["metadata"]
            key = (metadata["namespace"], metadata.get("labels", {}).get("kubernetes.io/service-name", ""))
            if event == "DELETED":
                self._slices[key].pop(metadata["name"], None)
            else:
                self._slices[key][metadata["name"]] = each
            self._write_names()

    @staticmethod
    def _address(service: Object) -> str | None:
        address = service["spec"].get("clusterIP")
        return None if address in (None, "", "None") or service["spec"]["type"] == "ExternalName" else str(address)

    async def _open(self, key: _Key, service: Object) -> None:
        address = self._address(service)
        if key == ("default", "kubernetes") or address is None:
            return
        forwarders = self._forwarders[key] = []
        for port in service["spec"]["ports"]:
            if port.get("protocol", "TCP") == "TCP":
                forwarder = Forwarder(functools.partial(self._ready, key, port.get("name", "")))
                await forwarder.start(self._network.listen(address, port["port"]))
                forwarders.append(forwarder)

    def _close(self, key: _Key) -> None:
        for forwarder in self._forwarders.pop(key, []):
            forwarder.close()
            self._ended.append(forwarder)

    async def _balance(self, service: Object) -> None:
        """Give a LoadBalancer its address: the Service's own, as that answers."""
        ingress = [{"ip": self._address(service)}]
        metadata = {key: service["metadata"][key] for key in ("name", "namespace")}
        status = {"loadBalancer": {"ingress": ingress}}
        await self._api.apply_status({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "status": status})

    def _ready(self, key: _Key, port: str) -> list[tuple[str, int]]:
        return [
            (address, offered["port"])
            for each in self._slices[key].values()
            for offered in each.get("ports") or ()
            if (offered.get("name") or "") == port
            for endpoint in each.get("endpoints") or ()
            if endpoint.get("conditions", {}).get("ready", True)
            for address in endpoint["addresses"]
        ]

    def _write_names(self) -> None:
        lines: list[tuple[str, str, str]] = []
        for key, service in self._services.items():
            own = self._address(service)
            ports = [each.get("name", "") for each in service["spec"].get("ports", ())]
            ready = {address for port in ports for address, _ in self._ready(key, port)}
            lines += [(each, *key) for each in ([own] if own else sorted(ready))]
        for space in {namespace for _, namespace, _ in lines} | {path.name for path in self._hosts.iterdir()}:
            text = "127.0.0.1 localhost\n"
            for address, namespace, name in lines:
                whole = f"{name}.{namespace}"
                short = f" {name}" if namespace == space else ""
                text += f"{address} {whole}.svc.cluster.local {whole}.svc {whole}{short}\n"
            # In place: pods have this very file mounted.
            (self._hosts / space).write_text(text)
