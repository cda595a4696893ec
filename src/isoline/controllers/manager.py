"""All controllers of one machine, started in the order in which they need each other."""

from collections.abc import Callable, Sequence
from pathlib import Path

from isoline.apps import Catalog, load_catalog
from isoline.cluster.source import Source
from isoline.cluster.state import StateFolder
from isoline.cluster.store import Index
from isoline.controllers.apps import Apps
from isoline.controllers.authority import open_authority, utc
from isoline.controllers.certificates import INDEXES as CERTIFICATE_INDEXES
from isoline.controllers.certificates import WORKERS, Certificates
from isoline.controllers.clock import Clock, SystemClock
from isoline.controllers.runner import Loop, Runner
from isoline.controllers.statuses import StatusWriter
from isoline.controllers.workloads.controller import Workloads
from isoline.controllers.workloads.endpoints import EndpointSlices
from isoline.controllers.workloads.machine import Machine
from isoline.controllers.workloads.references import INDEXES as WORKLOAD_INDEXES
from isoline.controllers.workloads.replicas import Replica
from isoline.controllers.workloads.resources import GPUSlots, find_gpus
from isoline.objects.meta import Key
from isoline.processes import ProcessTable

INDEXES: tuple[Index, ...] = (*WORKLOAD_INDEXES, *CERTIFICATE_INDEXES)
LOCAL_CA = Key("CertificateAuthority", "", "local")
"""What the store must be able to find for the controllers."""


class Controllers:
    """The controllers of one machine over a source and its state folder.

    `commands` is the folder, or a file in it, in which commands of this machine run that name none. `https_port` tells
    where the gateway listens.
    """

    def __init__(
        self,
        source: Source,
        state: StateFolder,
        table: ProcessTable,
        *,
        commands: Path,
        https_port: Callable[[], int],
        catalog: Catalog | None = None,
        gpus: Sequence[str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or SystemClock()
        catalog = catalog or load_catalog()
        machine = Machine(
            table=table,
            store=source.store,
            events=source.events,
            clock=clock,
            catalog=catalog,
            gpus=GPUSlots(tuple(find_gpus() if gpus is None else gpus)),
            claims=state.volumes,
            replicas=state.path / "replicas",
            commands=(commands.parent if commands.is_file() else commands).absolute(),
        )
        self.workloads = Workloads(source, machine, self._replica_changed)
        self._slices = EndpointSlices(source, self.workloads.in_namespace)
        self._apps = Loop(Apps(source, catalog, clock, https_port=https_port), clock)
        self._deployments = Loop(self.workloads, clock)
        self._endpoints = Loop(self._slices, clock)
        self.workloads.wake_by(self._deployments.add)
        authority, made = open_authority(state.ca_certificate, state.ca_key, now=utc(clock.now()))
        if made:
            source.events.normal(LOCAL_CA, "Created", "a certificate authority for this machine: see `isoline trust`")
        self._certificates = Loop(Certificates(source, authority, clock), clock, workers=WORKERS)
        self.statuses = StatusWriter(source, clock)
        self._runner = Runner(source.store, (self._apps, self._deployments, self._endpoints, self._certificates))

    async def start(self) -> None:
        """Take over what an earlier run left and begin.

        Returns when every object has been looked at once: from then on the store's EndpointSlices are those of the
        replicas that run, and may be served.
        """
        await self.workloads.adopt()
        self.statuses.start()
        self._runner.start()
        # Certificates follow: ten thousand of them are no reason to keep what is there waiting.
        await self._runner.idle(self._apps, self._deployments, self._endpoints)

    def replicas_of(self, deployment: Key) -> list[Replica]:
        """The replicas of a Deployment, ending ones too, oldest first."""
        return self.workloads.replicas_of(deployment)

    async def detach(self) -> None:
        """Stop, and leave every replica running for the next run to adopt."""
        await self._halt()
        await self.workloads.detach()

    async def stop(self) -> None:
        """Stop, and end every replica with its grace period."""
        await self._halt()
        await self.workloads.stop()

    async def _halt(self) -> None:
        await self._runner.stop()
        await self.statuses.stop()

    def _replica_changed(self, replica: Replica) -> None:
        for service in self._slices.services_of(replica):
            self._endpoints.add(service)
