"""What the data plane has to say about objects: what an Envoy refused, and what went out before it could work."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import structlog

from isoline.gateway.renderer import Batch, Renderer
from isoline.objects import Key
from isoline.routing.scheduler import Scheduler
from isoline.routing.statuses import ErrorType, Finding, ProxyStatus
from isoline.xds import types
from isoline.xds.cache import Cache
from isoline.xds.patience import NEEDS_PATIENCE
from isoline.xds.resources import Name

Statuses = dict[Key, ProxyStatus | None]
_ERROR_TYPES: dict[str, ErrorType] = {
    types.ROUTES: "RouteError",
    types.SCOPE: "RouteError",
    types.CLUSTER: "ServiceError",
    types.ENDPOINTS: "ServiceError",
    types.SECRET: "TLSError",
}
_PARTS = {
    types.ROUTES: "the routes",
    types.SCOPE: "the host's name",
    types.SECRET: "the certificate",
    types.EXTENSION: "the tunnel",
}
_SHARED = {types.LISTENER: "the listener", types.EXTENSION: "the connection manager", types.CLUSTER: "the cluster"}
_log = structlog.get_logger(__name__)


class _Late(NamedTuple):
    finding: Finding
    needs: frozenset[Name]


class Remarks:
    """Kept until what they are about is another version; told as errors and warnings of the objects it came from."""

    def __init__(self, cache: Cache, renderer: Renderer, scheduler: Scheduler) -> None:
        self._cache = cache
        self._renderer = renderer
        self._scheduler = scheduler
        self._refused: dict[Name, Finding] = {}
        self._of_gateway: set[Name] = set()
        self._late: dict[Name, _Late] = {}

    def refused(self, name: Name, message: str) -> tuple[Statuses, list[Key]]:
        """An Envoy refused a resource. Returns the statuses that differ now, and whom to tell."""
        hosts = sorted(self._hosts_of(name))
        _log.warning("envoy refused a resource", type=name.type_url, name=name.name, message=message, hosts=hosts)
        kind = _ERROR_TYPES.get(name.type_url, "VirtualHostError")
        self._refused[name] = Finding(kind, "RejectedByEnvoy", f"{_part_of(name)}: {message}")
        if not hosts:
            self._of_gateway.add(name)
        statuses = self._tell(hosts)
        # Refused again in the same words: the statuses say so already, and the attempt is news all the same.
        return statuses, list(statuses) or sorted({owner for host in hosts for owner in self._scheduler.owners(host)})

    @property
    def of_gateway(self) -> str:
        """What Envoy says to what no site gave, such as a listener; empty where it has taken all of it."""
        refused = sorted(name for name in self._of_gateway if name in self._refused)
        said = {name: self._refused[name].message.partition(": ")[2] for name in refused}
        return "; ".join(f"{_SHARED.get(name.type_url, 'the resource')} {name.name}: {said[name]}" for name in refused)

    def late(self, name: Name, needs: Sequence[Name]) -> Statuses:
        """A resource went out before what it needs was ready. Returns the statuses that differ now."""
        awaited = ", ".join(dict.fromkeys("/".join(need.name.split("/")[:2]) for need in needs))
        text = f"nothing of {awaited} was ready within {NEEDS_PATIENCE:g} s; requests go there all the same"
        self._late[name] = _Late(Finding("ServiceError", "NotReady", text), frozenset(needs))
        return self._tell(sorted(self._hosts_of(name)))

    def reconsider(self, batch: Batch, hosts: Iterable[str]) -> Statuses:
        """The statuses that differ now that resources came and went: a remark ends with the version that it is about,
        and is the matter of whoever uses it, also of who came later."""
        if not self._refused and not self._late:
            return {}
        concerned = set(hosts)
        arrived = {resource.name for resource in batch.put if not resource.empty}
        for name in (*arrived, *batch.remove):
            if name in self._refused and name not in self._cache.rejections:
                del self._refused[name]
                concerned |= self._hosts_of(name)
        over = [name for name, late in self._late.items() if name in arrived or late.needs & arrived]
        for name in (*over, *(name for name in batch.remove if name in self._late)):
            del self._late[name]
            concerned |= self._hosts_of(name)
        return self._tell(sorted(concerned))

    def _tell(self, hosts: Iterable[str]) -> Statuses:
        statuses: Statuses = {}
        for host in hosts:
            given = self._renderer.names_of(host)
            brought = (need for name in given if (found := self._cache.get(name)) for need in found.brings)
            refused = sorted({name for name in (*given, *brought) if name in self._refused})
            late = dict.fromkeys(self._late[name].finding for name in given if name in self._late)
            errors = tuple(self._refused[name] for name in refused)
            statuses.update(self._scheduler.remark(host, ProxyStatus(errors, tuple(late))))
        return statuses

    def _hosts_of(self, name: Name) -> set[str]:
        """The hosts that have to do with a resource: their site gave it, or a cluster that it fills."""
        bringers = [name]
        if name.type_url == types.ENDPOINTS:
            clusters = (Name(types.CLUSTER, cluster) for cluster in self._cache.names(types.CLUSTER))
            bringers += [each for each in clusters if (found := self._cache.get(each)) and name in found.brings]
        return {host for each in bringers for host in self._renderer.hosts_of(each)}


def _part_of(name: Name) -> str:
    """Which part of an object a resource is made from, in words that hold for an HTTPProxy and an Ingress."""
    if name.type_url in (types.CLUSTER, types.ENDPOINTS):
        # `<namespace>/<service>/<port>/…`; other clusters have names of their own kind.
        return f"the upstream {'/'.join(name.name.split('/')[:3])}"
    return _PARTS.get(name.type_url, "the host")
