"""The other end of the control API where a cluster is meant: commands ask it as they ask an Isoline on this machine."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar, cast

from isoline.apps import Target
from isoline.cli.client import Client
from isoline.cli.cluster_console import Background, ClusterConsole, Extent
from isoline.cli.cluster_logs import pod_logs
from isoline.cli.control_plane_flags import connection
from isoline.cli.journal import log_nothing
from isoline.cluster.kubernetes.following import APPS, MADE, OPTIONAL, ROUTING
from isoline.console.naming import NamingError, find_kinds
from isoline.console.wire import LogRecord

T = TypeVar("T")


class ClusterClient(Client):
    """A cluster, as a context of a kubeconfig shows it."""

    target = Target.KUBERNETES

    def __init__(self, kubeconfig: Path | None, context: str | None) -> None:
        """Raises UsedWronglyError for a kubeconfig that cannot be used."""
        self._to = connection(kubeconfig, context=context, in_cluster=False)
        super().__init__(Path(self._to.server), namespace=self._to.namespace)
        log_nothing()
        self._background = Background()
        self._console: ClusterConsole | None = None
        self._shows: Extent | None = None

    def close(self) -> None:
        """End what was opened to get answers."""
        if self._console is not None:
            self._console.close()
            self._console = None
        self._background.close()

    def runs(self) -> bool:
        """There is a cluster to compare with, or an error that says why there is none."""
        return True

    def get(self, path: str, answer: type[T], /, **query: str | None) -> T:
        self._show(path, query)
        return super().get(path, answer, **query)

    def post(self, path: str, body: bytes, answer: type[T], /, **query: str | None) -> T:
        self._show(path, query)
        return super().post(path, body, answer, **query)

    def stream(self, path: str, record: type[T], /, **query: str | None) -> Iterator[T]:
        if path == "logs":
            assert record is LogRecord
            yield from cast("Iterator[T]", pod_logs(self._background, self._to, query))
            return
        self._show(path, query)
        yield from super().stream(path, record, **query)

    def _show(self, path: str, query: dict[str, str | None]) -> None:
        """Have a console that holds what the question is about, and no more."""
        wanted = _needed(path, query)
        if self._shows == wanted:
            return
        if self._console is not None:
            self._console.close()
        self._console = ClusterConsole(self._background, self._to, wanted)
        self._shows = wanted
        self.state = self._console.folder


def _needed(path: str, query: dict[str, str | None]) -> Extent:
    namespace = query.get("namespace")
    try:
        asked = tuple(kind.name for kind in find_kinds(query.get("kind") or ""))
    except NamingError:
        # The console has the words for it.
        asked = ()
    if path in ("objects", "watch"):
        return Extent(asked, (namespace,) if namespace else (), every_secret="Secret" in asked)
    # What a route leads to may be anywhere.
    kinds = tuple(dict.fromkeys([*ROUTING, *APPS, "Deployment", *asked]))
    if path == "diff":
        return Extent((*ROUTING, *APPS), (), made=MADE, optional=OPTIONAL)
    return Extent(kinds, (), every_secret=bool(query.get("kind")) and asked == ("Secret",))
