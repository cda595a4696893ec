"""What the console needs to know of the Isoline that it shows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from isoline.apps import Catalog
from isoline.cluster.source import Source
from isoline.cluster.store import Change
from isoline.console.wire import Summary
from isoline.envoy.admin_messages import ClusterStatus
from isoline.objects import Key
from isoline.processes.logs import LogFile
from isoline.routing.ledger import Preview
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
    touched_hosts: Callable[[Sequence[Change]], Iterable[str]]
    """The hosts that would be compiled again if these changes came."""
    preview: Callable[[Sequence[Change]], Mapping[Key, Preview]]
    """What these changes would do to statuses."""
    logs: Callable[[Key], Sequence[ReplicaLog]]
    """The logs of a Deployment's replicas, ended ones too, oldest replica first."""
    summary: Callable[[], Summary]
