"""What the control API shows of one machine's Isoline."""

import os
from collections.abc import Sequence

from isoline.cli.one_machine import OneMachine
from isoline.console.context import Console, ReplicaLog
from isoline.console.wire import Summary
from isoline.envoy.admin_messages import ClusterStatus
from isoline.objects import Key
from isoline.version import VERSION


def console_of(machine: OneMachine) -> Console:
    """Return what is shown, as it is whenever somebody looks."""
    return Console(
        source=machine.source,
        catalog=machine.catalog,
        traffic=_Traffic(machine),
        settings=lambda: machine.settings,
        foresee=machine.flow.foresee,
        logs=lambda deployment: _logs(machine, deployment),
        summary=lambda: _summary(machine),
    )


class _Traffic:
    """Asks the Envoy of the moment: a hot restart puts another in its place."""

    def __init__(self, machine: OneMachine) -> None:
        self._machine = machine

    async def clusters(self) -> Sequence[ClusterStatus]:
        """As Envoy sees them."""
        return await self._machine.envoy.admin.clusters()


def _logs(machine: OneMachine, deployment: Key) -> list[ReplicaLog]:
    return [
        ReplicaLog(replica.name, container, log)
        for replica in machine.controllers.replicas_of(deployment)
        for container, log in replica.logs.items()
    ]


def _summary(machine: OneMachine) -> Summary:
    directory = machine.options.directory
    return Summary(
        version=VERSION,
        pid=os.getpid(),
        started=machine.started,
        state=str(machine.state.path),
        directory=str(directory) if directory is not None else None,
        http_port=machine.ports.http,
        https_port=machine.ports.https,
        ready=machine.flow.caught_up.is_set(),
        resources_sent=machine.server.stats.resources,
    )
