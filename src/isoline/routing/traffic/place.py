"""Where a setting is compiled, and what is said when it cannot be."""

from typing import NamedTuple

from isoline.objects.model import json_name
from isoline.routing import ir
from isoline.routing.httpproxy.scope import Fault, Report, Scope
from isoline.routing.traffic.effective import Setting
from isoline.routing.view import View


class Place(NamedTuple):
    """One setting of one policy. `clusters` takes the clusters that it needs."""

    namespace: str
    scope: Scope
    view: View
    clusters: dict[str, ir.Cluster]

    def at(self, field: str) -> "Place":
        return self._replace(scope=self.scope.at(field))

    def item(self, position: int) -> "Place":
        return self._replace(scope=self.scope._replace(path=f"{self.scope.path}[{position}]"))

    def invalid(self, text: str) -> Fault:
        """Return the exception that takes the setting out, for what can never be."""
        return self.scope.fault("Accepted", "Invalid", text)

    def missing(self, reason: str, text: str) -> Fault:
        """Return the exception that takes the setting out, for what is not there."""
        return self.scope.fault("ResolvedRefs", reason, text)


def place_of(setting: Setting, view: View, clusters: dict[str, ir.Cluster], report: Report | None = None) -> Place:
    """Return where a setting is compiled; what is found goes to the report, or nowhere."""
    scope = Scope(report or Report(), f"spec.{json_name(setting.name)}")
    return Place(setting.policy.metadata.namespace, scope, view, clusters)
