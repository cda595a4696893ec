"""One host while it is being compiled from HTTPProxies."""

from isoline.objects import HTTPProxy, Key
from isoline.routing import ir
from isoline.routing.httpproxy import guards
from isoline.routing.httpproxy.order import Draft
from isoline.routing.httpproxy.scope import Report, Scope
from isoline.routing.view import View


class SiteDraft:
    """What the compile of one host gathers: routes in the order found, clusters, and a report for each object seen."""

    __slots__ = ("clusters", "drafts", "ends_tls", "guards", "includes_left", "names", "reports", "root", "view")

    def __init__(self, view: View, root: HTTPProxy) -> None:
        self.view = view
        self.drafts: list[Draft] = []
        self.clusters: dict[str, ir.Cluster] = {}
        self.reports: dict[Key, Report] = {}
        self.names: set[str] = set()
        self.ends_tls = False
        self.guards = guards.NONE
        self.includes_left = 0
        self.root = self.scope_of(root)

    def scope_of(self, proxy: HTTPProxy) -> Scope:
        """Return the scope `spec` of an HTTPProxy. To ask for it is to say that the HTTPProxy is part of the host."""
        return Scope(self.reports.setdefault(proxy.key, Report()), "spec")

    def unique_name(self, name: str) -> str:
        """Return a name that no other route of the host has: an object that is included twice compiles twice."""
        candidate, count = name, 1
        while candidate in self.names:
            count += 1
            candidate = f"{name}#{count}"
        self.names.add(candidate)
        return candidate
