"""One pod, played with processes: start, probes, restarts, status, and an orderly end."""

import asyncio
import contextlib
import functools
import math
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from . import box, probes, volumes
from .api import Api, ApiError, Object
from .containers import Container, Image, now
from .rig import Rig
from .waiting import until

_POLL: Final = 0.05  # seconds
_REFRESH: Final = 1.0  # seconds until a changed Secret stands in a volume
_RESTART_AFTER: Final = (0.2, 1.0, 5.0)  # seconds before the first, second and any further restart


class Pod:
    """A pod bound to the node. `run` lasts until it is cancelled, or all containers of a Job's pod have ended."""

    def __init__(
        self,
        rig: Rig,
        api: Api,
        pod: Object,
        images: Mapping[str, Image],
        address: str,
        *,
        network: Path | None = None,
    ) -> None:
        self.address = address
        self._network = network
        self._rig = rig
        self._api = api
        self._pod = pod
        self._images = images
        metadata = pod["metadata"]
        self.name = f"{metadata['namespace']}/{metadata['name']}"
        self._folder: Path = rig.folder / "pods" / metadata["uid"]
        self._first = [Container(each) for each in pod["spec"].get("initContainers", ())]
        self._main = [Container(each) for each in pod["spec"]["containers"]]
        self._mounts: dict[str, Path] = {}
        self._told: Object = {}
        self._conditions: dict[str, Object] = {}
        self._ended: Object | None = None

    async def run(self) -> None:
        """Run its containers, write its status when that changes."""
        self._folder.mkdir(parents=True)
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            if self._pod["spec"].get("volumes"):
                tasks.create_task(self._refresh_volumes())
            tasks.create_task(self._keep_status())
            await self._prepared()
            for container in self._first:
                if container.spec.get("restartPolicy") == "Always":
                    tasks.create_task(self._keep_running(container, "Always"))
                    await until(functools.partial(getattr, container, "ready"), within=math.inf)
                else:
                    await self._keep_running(container, "OnFailure")
            policy = self._pod["spec"].get("restartPolicy", "Always")
            for container in self._main:
                tasks.create_task(self._keep_running(container, policy))

    async def stop(self, grace: float) -> None:
        """Run the hooks, then SIGTERM, then SIGKILL after `grace` seconds; remove what it wrote."""
        everything = [each for each in (*self._main, *self._first) if each.running]
        for container in everything:
            container.ready = False
        await asyncio.gather(*(self._stop(each, grace) for each in everything))
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self, container: str) -> None:
        """Kill a container's process, as a crash would."""
        for each in self._main:
            if each.spec["name"] == container and each.process is not None:
                os.killpg(each.process.pid, 9)

    def log(self, container: str) -> str:
        """Return what a container has printed."""
        return (self._folder / f"{container}.log").read_text(errors="replace")

    async def _stop(self, container: Container, grace: float) -> None:
        assert container.process is not None
        deadline = time.monotonic() + grace
        hook = container.spec.get("lifecycle", {}).get("preStop")
        if hook and grace > 0:
            wanted = {"timeoutSeconds": grace, **hook}
            await probes.passes(wanted, container.spec, self.address, self._execute(container))
        with contextlib.suppress(ProcessLookupError):
            container.process.terminate()
            with contextlib.suppress(TimeoutError):
                await until(lambda: not container.running, within=deadline - time.monotonic())
            os.killpg(container.process.pid, 9)
        container.process.wait()

    async def _prepared(self) -> None:
        """Fill the volumes; wait, and say why, as long as something is missing."""
        while True:
            try:
                for volume in self._pod["spec"].get("volumes", ()):
                    folder = self._folder / "volumes" / volume["name"]
                    self._mounts[volume["name"]] = await volumes.fill(self._api, self._pod, volume, folder)
            except volumes.NotThereError as missing:
                for container in self._main:
                    container.waiting = {"reason": "ContainerCreating", "message": str(missing)}
                await asyncio.sleep(_REFRESH)
            else:
                return

    async def _refresh_volumes(self) -> None:
        live = [each for each in self._pod["spec"]["volumes"] if {"secret", "configMap"} & each.keys()]
        while live:
            await asyncio.sleep(_REFRESH)
            for volume in live:
                with contextlib.suppress(volumes.NotThereError, ApiError):
                    await volumes.fill(self._api, self._pod, volume, self._folder / "volumes" / volume["name"])

    async def _keep_running(self, container: Container, policy: str) -> None:
        while True:
            if await self._start(container):
                guard = asyncio.create_task(self._watch_probes(container))
                await until(lambda: not container.running, within=math.inf)
                guard.cancel()
                assert container.process is not None
                container.exit_code = container.process.wait()
                container.ready = False
                if policy == "Never" or (policy == "OnFailure" and container.exit_code == 0):
                    container.waiting = None
                    return
                container.waiting = {"reason": "CrashLoopBackOff", "message": f"exit status {container.exit_code}"}
                container.restarts += 1
            await asyncio.sleep(_RESTART_AFTER[min(container.restarts, len(_RESTART_AFTER)) - 1])

    async def _start(self, container: Container) -> bool:
        spec = container.spec
        image = self._images.get(spec["image"]) or self._images.get(spec["image"].rsplit(":", 1)[0])
        if image is None:
            container.waiting = {"reason": "ErrImagePull", "message": f"the test maps no image {spec['image']}"}
            return False
        try:
            declared = await volumes.variables(self._api, self._pod, spec, self.address)
        except volumes.NotThereError as missing:
            container.waiting = {"reason": "CreateContainerConfigError", "message": str(missing)}
            return False
        host, port = "10.200.0.1", "6443"
        cluster = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
        names = {"HOSTNAME": self._pod["metadata"]["name"], "POD_IP": self.address}
        base = {"PATH": os.environ["PATH"], "HOME": "/tmp", "LANG": "C.UTF-8"}
        environment = {**base, **image.environment, **cluster, **names, **declared}
        arguments = [volumes.expanded(each, environment) for each in spec.get("args", ())]
        entrypoint = spec.get("command") or image.entrypoint
        command = [*(volumes.expanded(each, environment) for each in entrypoint), *arguments]
        mounts = {
            each["mountPath"]: self._mounts[each["name"]] / each.get("subPath", "")
            for each in spec.get("volumeMounts", ())
        }
        hosts = self._rig.folder / "hosts" / self._pod["metadata"]["namespace"]
        if hosts.exists():
            mounts["/etc/hosts"] = hosts
            # Names are in that file. Whoever asks a server all the same is told at once that there is none.
            mounts["/etc/resolv.conf"] = self._rig.folder / "resolv.conf"
        boxed = box.command(
            command, folder=self._folder / spec["name"], mounts=mounts, working_directory=spec.get("workingDir")
        )
        with (self._folder / f"{spec['name']}.log").open("ab") as log:
            container.process = self._rig.namespace.spawn(
                boxed, folder=self._folder, log=log, environment=environment, network=self._network
            )
        container.environment = environment
        container.waiting, container.exit_code = None, None
        container.started_at = now()
        return True

    async def _watch_probes(self, container: Container) -> None:
        """Keep `ready`, and end the process that a liveness or startup probe gives up."""
        execute = self._execute(container)
        if "startupProbe" in container.spec and not await self._started(container, execute):
            return
        readiness, liveness = container.spec.get("readinessProbe"), container.spec.get("livenessProbe")
        failures, look = 0, time.monotonic() + (liveness or {}).get("initialDelaySeconds", 0)
        while True:
            container.ready = not readiness or await probes.passes(readiness, container.spec, self.address, execute)
            if liveness and time.monotonic() >= look:
                look = time.monotonic() + liveness.get("periodSeconds", 10)
                failures = 0 if await probes.passes(liveness, container.spec, self.address, execute) else failures + 1
                if failures >= liveness.get("failureThreshold", 3) and container.process is not None:
                    container.process.terminate()
            every = (readiness or liveness or {}).get("periodSeconds", 10)
            # A first success is seen at once: rigs last seconds.
            await asyncio.sleep(every if container.ready else min(every, 0.2))

    async def _started(self, container: Container, execute: probes.Execute) -> bool:
        probe = container.spec["startupProbe"]
        for _ in range(probe.get("failureThreshold", 3)):
            if await probes.passes(probe, container.spec, self.address, execute):
                return True
            await asyncio.sleep(probe.get("periodSeconds", 10))
        if container.process is not None:
            container.process.terminate()
        return False

    def _execute(self, container: Container) -> probes.Execute:
        async def run(command: Sequence[str], patience: float) -> bool:
            assert container.process is not None
            with (self._folder / f"{container.spec['name']}.log").open("ab") as log:
                wanted = box.inside(container.process.pid, command)
                running = await asyncio.create_subprocess_exec(
                    *wanted, stdout=log, stderr=log, env=container.environment
                )
            try:
                async with asyncio.timeout(patience):
                    return await running.wait() == 0
            finally:
                if running.returncode is None:
                    running.kill()
                    await running.wait()

        return run

    async def _keep_status(self) -> None:
        """Write the status when it changes, until the pod has come to its end."""
        while True:
            status = self._status()
            if status != self._told:
                metadata = {key: self._pod["metadata"][key] for key in ("name", "namespace")}
                with contextlib.suppress(ApiError):  # gone meanwhile: the watch says so
                    await self._api.apply_status({**self._pod, "metadata": metadata, "status": status})
                self._told = status
            if status["phase"] in ("Succeeded", "Failed"):
                return
            await asyncio.sleep(_POLL)

    def _status(self) -> Object:
        if self._ended:
            return self._ended
        ready = all(each.ready for each in self._main)
        over = all(each.exit_code is not None and not each.running and each.waiting is None for each in self._main)
        failed = any(each.exit_code for each in self._main)
        begun = any(each.process is not None for each in self._main)
        phase = ("Failed" if failed else "Succeeded") if over else "Running" if begun else "Pending"
        conditions = {"PodScheduled": True, "Initialized": begun, "ContainersReady": ready, "Ready": ready}
        status: dict[str, Any] = {
            "phase": phase,
            "hostIP": "10.200.0.1",
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "conditions": [self._condition(name, str(value)) for name, value in conditions.items()],
            "containerStatuses": [each.status() for each in self._main],
            "initContainerStatuses": [each.status() for each in self._first],
        }
        if over:
            self._ended = status
        return status

    def _condition(self, name: str, status: str) -> Object:
        """A condition since when it is so: who waits for a while of readiness counts from there."""
        if self._conditions.get(name, {}).get("status") != status:
            self._conditions[name] = {"type": name, "status": status, "lastTransitionTime": now()}
        return self._conditions[name]
