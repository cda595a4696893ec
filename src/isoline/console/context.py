"""What the console needs to know of the Isoline that it shows."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from isoline.apps import Catalog, Offered, Target
from isoline.cluster.source import Source
from isoline.cluster.store import Change
from isoline.console.wire import Summary
from isoline.envoy.admin_messages import ClusterStatus
from isoline.objects import Key, Object
from isoline.processes.logs import LogFile
from isoline.routing.foresight import Foresight
from isoline.routing.settings import Settings


class ReplicaLog(NamedTuple):
    """The log of one container of one replica."""

    replica: str
    container: str
    log: LogFile


class Traffic(Protocol):
    """What Envoy says of itself."""

    async def clusters(self) -> Sequence[ClusterStatus]:
        """Every cluster with its endpoints. Raises AdminError when Envoy does not answer."""
        ...


@dataclass(frozen=True, kw_only=True)
class Console:
    source: Source
    catalog: Catalog
    traffic: Traffic
    settings: Callable[[], Settings]
    """What routes are compiled with at present."""
    foresee: Callable[[Sequence[Change]], Foresight]
    """What these changes would do."""
    logs: Callable[[Key], Sequence[ReplicaLog]]
    """The logs of a Deployment's replicas, ended ones too, oldest replica first."""
    summary: Callable[[], Summary]
    target: Target = Target.MACHINE
    """Where its Apps run."""
    rehearse: Callable[[Object], Awaitable[Object]] | None = None
    """What would become of an object that is made for an App, where somebody adds to what is said of it."""
    offered: Callable[[], Offered] = Offered
    """What there is for them."""
