"""This machine, as replicas see it."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from isoline.apps import Catalog
from isoline.cluster.events import EventLog
from isoline.cluster.store import Store
from isoline.controllers.clock import Clock
from isoline.controllers.workloads.environment import Values
from isoline.controllers.workloads.ports import PortAllocator
from isoline.controllers.workloads.resources import GPUSlots
from isoline.controllers.workloads.volumes import Provider
from isoline.objects.core import ConfigMap, Secret
from isoline.objects.meta import Key
from isoline.processes import ProcessTable


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What replicas are made of, and where."""

    table: ProcessTable
    store: Store
    events: EventLog
    clock: Clock
    catalog: Catalog
    gpus: GPUSlots
    claims: Path
    """The data of claims, `<namespace>/<claim>/`."""
    replicas: Path
    """What goes with a replica, `<namespace>.<replica>/`."""
    commands: Path
    """Where commands of this machine are run that name no working directory: the folder of the manifests."""
    ports: PortAllocator = field(default_factory=PortAllocator)
    node: str = field(default_factory=socket.gethostname)

    def volumes(self, namespace: str) -> Provider:
        """Return where the volumes of a namespace's replicas come from."""
        return Provider(
            claims=self.claims / namespace,
            claim_exists=lambda name: self.store.get(Key("PersistentVolumeClaim", namespace, name)) is not None,
            config_map=self.config_map(namespace),
            secret=self.secret(namespace),
        )

    def config_map(self, namespace: str) -> Callable[[str], Values | None]:
        """Return the lookup of a namespace's ConfigMaps."""

        def data(name: str) -> Values | None:
            found = self.store.get(Key("ConfigMap", namespace, name))
            if not isinstance(found, ConfigMap):
                return None
            return {key: value.encode() for key, value in found.data.items()} | found.binary_data

        return data

    def secret(self, namespace: str) -> Callable[[str], Values | None]:
        """Return the lookup of a namespace's Secrets."""

        def data(name: str) -> Values | None:
            found = self.store.get(Key("Secret", namespace, name))
            return {**found.data, **found.string_data} if isinstance(found, Secret) else None

        return data
