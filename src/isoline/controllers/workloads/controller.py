"""The Deployment controller of one machine: makes, rolls and ends replicas, and takes over those of an earlier run."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence

from isoline.cluster.source import Source
from isoline.cluster.store import Change
from isoline.controllers.workloads import deployments, records, volumes
from isoline.controllers.workloads.containers import CREATING
from isoline.controllers.workloads.deployments import Standing
from isoline.controllers.workloads.launching import REPLICA_LABEL
from isoline.controllers.workloads.machine import Machine
from isoline.controllers.workloads.records import Record
from isoline.controllers.workloads.references import READERS
from isoline.controllers.workloads.replicas import INSUFFICIENT_GPU, Replica, allocate
from isoline.controllers.workloads.status import Observed, status
from isoline.objects.core import PersistentVolumeClaim, PersistentVolumeClaimStatus
from isoline.objects.meta import Key
from isoline.objects.workloads import Deployment
from isoline.processes import Process

REFERENCED = frozenset({"ConfigMap", "Secret", "PersistentVolumeClaim"})
LONGEST_NAME = 50


class Workloads:
    """Reconciles Deployments. `replica_changed` is told of every replica that came, changed or went."""

    name = "workloads"

    def __init__(self, source: Source, machine: Machine, replica_changed: Callable[[Replica], None]) -> None:
        self._source = source
        self._machine = machine
        self._replica_changed = replica_changed
        self._replicas: dict[Key, dict[str, Replica]] = {}
        self._poke: set[Key] = set()
        self._wake: Callable[[Key], None] = lambda _: None

    def wake_by(self, wake: Callable[[Key], None]) -> None:
        """Have a Deployment looked at by calling this."""
        self._wake = wake

    def replicas_of(self, key: Key) -> list[Replica]:
        """The replicas of a Deployment, ending ones too, oldest first."""
        return sorted(self._replicas.get(key, {}).values(), key=lambda replica: (replica.record.created, replica.name))

    def in_namespace(self, namespace: str) -> list[Replica]:
        """Every replica of a namespace."""
        owners = sorted(key for key in self._replicas if key.namespace == namespace)
        return [replica for key in owners for replica in self.replicas_of(key)]

    def touched_by(self, change: Change) -> Iterable[Key]:
        if change.status_only:
            return ()
        if change.key.kind == "Deployment":
            return (change.key,)
        if change.key.kind not in REFERENCED:
            return ()
        readers = self._source.store.find(READERS, str(change.key))
        self._poke.update(readers)
        return readers

    def everything(self) -> Iterable[Key]:
        known = dict.fromkeys(item.key for item in self._source.store.of_kind("Deployment"))
        return [*known, *(key for key in self._replicas if key not in known)]

    async def adopt(self) -> None:
        """Take over the replicas of an earlier run that still live; what else it left is ended and cleared away.

        Call it once, when the store holds what there is, and before anything is reconciled.
        """
        self._machine.table.adopt()
        processes: dict[str, list[Process]] = {}
        for process in self._machine.table.processes:
            if REPLICA_LABEL in process.labels:
                processes.setdefault(process.labels[REPLICA_LABEL], []).append(process)
        folders = self._machine.replicas.iterdir() if self._machine.replicas.is_dir() else ()
        names = sorted({folder.name for folder in folders} | processes.keys())
        left = [name for name in names if not self._adopt(name, processes.get(name, []))]
        await asyncio.gather(*(self._discard(name, processes.get(name, [])) for name in left))

    def _adopt(self, name: str, processes: Sequence[Process]) -> bool:
        record = records.load(self._machine.replicas / name)
        # One that has just ended may still be tidied up after: it is no endpoint, not even for a moment.
        living = [process for process in processes if process.alive]
        if record is None or record.key != name or not living:
            return False
        replica = Replica(record, self._machine, self._changed)
        replica.adopt(living)
        self._replicas.setdefault(record.owner, {})[record.name] = replica
        replica.start()
        self._machine.events.normal(record.owner, "Adopted", f"{record.name} has gone on running")
        return True

    async def _discard(self, name: str, processes: Iterable[Process]) -> None:
        for process in processes:
            await process.stop()
            self._machine.table.remove(process.name)
        await asyncio.to_thread(volumes.remove, self._machine.replicas / name)

    async def reconcile(self, key: Key) -> float | None:
        replicas = self._replicas.get(key, {})
        deployment = self._source.store.get(key)
        if not isinstance(deployment, Deployment):
            self._poke.discard(key)
            for replica in replicas.values():
                replica.terminate()
            return None
        faults = deployments.problems(deployment.spec)
        digest = deployments.template_hash(deployment.spec.template)
        if not faults:
            self._step(deployment, digest)
        if key in self._poke:
            self._poke.discard(key)
            for replica in replicas.values():
                replica.poke()
        self._bind_claims(deployment)
        observed = [self._observe(deployment, replica, digest) for replica in self.replicas_of(key)]
        now = self._machine.clock.now()
        self._source.set_status(key, status(deployment, observed, now=now, faults=faults))
        return self._look_again(deployment, digest)

    def _step(self, deployment: Deployment, digest: str) -> None:
        """Make and end the replicas that are due now; what comes of it brings the next step."""
        standings = [
            Standing(replica.name, each.current, each.available, replica.terminating, replica.record.created)
            for replica in self.replicas_of(deployment.key)
            for each in (self._observe(deployment, replica, digest),)
        ]
        plan = deployments.plan(deployment.spec, standings)
        for name in plan.delete:
            self._replicas[deployment.key][name].terminate()
        for _ in range(plan.create):
            self._create(deployment, digest)

    def _create(self, deployment: Deployment, digest: str) -> None:
        template = deployment.spec.template
        namespace, owner = deployment.metadata.namespace, deployment.metadata.name
        record = Record(
            namespace=namespace,
            name=f"{owner[:LONGEST_NAME]}-{digest}-{secrets.token_hex(3)}",
            deployment=owner,
            template_hash=digest,
            template=template,
            created=self._machine.clock.now(),
            ports=allocate((*template.spec.init_containers, *template.spec.containers), self._machine),
        )
        replica = Replica(record, self._machine, self._changed)
        self._replicas.setdefault(deployment.key, {})[record.name] = replica
        self._machine.events.normal(deployment.key, "Created", f"replica {record.name}")
        replica.start()

    def _observe(self, deployment: Deployment, replica: Replica, digest: str) -> Observed:
        waiting = replica.waiting
        # A container that is about to start, or is started again at once, is no failure.
        failing = waiting if waiting is not None and waiting.reason != CREATING else None
        return Observed(
            name=replica.name,
            current=replica.record.template_hash == digest,
            ready=replica.ready,
            available=self._available_in(deployment, replica) == 0,
            terminating=replica.terminating,
            waiting_reason=failing.reason if failing is not None else "",
            waiting_message=failing.message if failing is not None else "",
            unready_because=replica.unready_because,
            limits_enforced=replica.limits_enforced,
            unmounted=replica.unmounted,
            cpu_variant=replica.cpu_variant,
        )

    def _available_in(self, deployment: Deployment, replica: Replica) -> float | None:
        """Seconds until a ready replica counts as available; None for one that is not ready."""
        if not replica.ready or replica.ready_since is None:
            return None
        passed = self._machine.clock.now() - replica.ready_since
        return max(deployment.spec.min_ready_seconds - passed, 0.0)

    def _look_again(self, deployment: Deployment, digest: str) -> float | None:
        """When time alone changes something: a replica becomes available, or a rollout has taken too long."""
        replicas = [replica for replica in self.replicas_of(deployment.key) if not replica.terminating]
        delays = [seconds for each in replicas if (seconds := self._available_in(deployment, each))]
        current = sum(replica.ready and replica.record.template_hash == digest for replica in replicas)
        if current < deployment.spec.replicas:
            delays.append(deployment.spec.progress_deadline_seconds + 1.0)
        return min(delays, default=None)

    def _bind_claims(self, deployment: Deployment) -> None:
        for volume in deployment.spec.template.spec.volumes:
            if volume.persistent_volume_claim is None:
                continue
            key = Key("PersistentVolumeClaim", deployment.metadata.namespace, volume.persistent_volume_claim.claim_name)
            claim = self._source.store.get(key)
            if isinstance(claim, PersistentVolumeClaim):
                capacity = {name: str(size) for name, size in claim.spec.resources.requests.items()}
                bound = PersistentVolumeClaimStatus(
                    phase="Bound", access_modes=claim.spec.access_modes, capacity=capacity
                )
                self._source.set_status(key, bound)

    def _changed(self, replica: Replica) -> None:
        owner = replica.record.owner
        if replica.gone:
            siblings = self._replicas.get(owner, {})
            siblings.pop(replica.name, None)
            if not siblings:
                self._replicas.pop(owner, None)
            self._offer_gpus()
        self._replica_changed(replica)
        self._wake(owner)

    def _offer_gpus(self) -> None:
        """What one replica gave back another may have been waiting for."""
        for replicas in self._replicas.values():
            for replica in replicas.values():
                if replica.waiting is not None and replica.waiting.reason == INSUFFICIENT_GPU:
                    replica.poke()

    async def stop(self) -> None:
        """End every replica, each with its grace period. Nothing may be reconciled any more."""
        replicas = [replica for siblings in self._replicas.values() for replica in siblings.values()]
        for replica in replicas:
            replica.terminate()
        await asyncio.gather(*(replica.wait_gone() for replica in replicas))

    async def detach(self) -> None:
        """Leave every replica running for the next run to adopt."""
        for siblings in list(self._replicas.values()):
            for replica in list(siblings.values()):
                await replica.detach()
