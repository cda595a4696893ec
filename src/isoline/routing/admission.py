"""What a change would do, said before anything is stored: what of it would be refused, and whom else it would harm."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from isoline.objects import Key
from isoline.objects.traffic_policy import TARGET_GROUPS
from isoline.routing.ledger import Preview
from isoline.routing.statuses import Finding

_MAY_COME = {
    "ServiceUnresolvedReference": "Service",
    "SecretNotValid": "Secret",
    "IncludeNotFound": "HTTPProxy",
    "ExtensionServiceNotFound": "ExtensionService",
    "ServiceNotFound": "Service",
    "SecretNotFound": "Secret",
}
"""Reasons that may mean no more than that something is not there yet, and its kind."""


class Objection(NamedTuple):
    """What would be said of an object."""

    key: Key
    finding: Finding

    def __str__(self) -> str:
        return f"{self.key}: {self.finding.type} {self.finding.reason}: {self.finding.message}"


class Review(NamedTuple):
    """Each in the order of the keys. An objection is in one of them only."""

    refused: tuple[Objection, ...]
    """Errors of what is changed."""
    harmed: tuple[Objection, ...]
    """Errors of other objects, which they do not have now; an orphan's among them."""
    awaited: tuple[Objection, ...]
    """Errors of what is changed that end when what it names, or what includes it, is there."""
    warnings: tuple[Objection, ...]
    """Warnings of what is changed."""

    @property
    def problems(self) -> tuple[Objection, ...]:
        """Everything but for what may come later and what is only a warning."""
        return (*self.refused, *self.harmed)


def review(previews: Mapping[Key, Preview], changed: Collection[Key]) -> Review:
    """Return what a scheduler's preview of some changes means.

    `changed` are the keys of what is put, not of what goes.
    """
    refused: list[Objection] = []
    harmed: list[Objection] = []
    awaited: list[Objection] = []
    warnings: list[Objection] = []
    for key, preview in previews.items():
        if preview.after is None:
            continue
        if key not in changed:
            known = () if preview.before is None else preview.before.errors
            harmed += [Objection(key, error) for error in preview.after.errors if error not in known]
            continue
        for error in preview.after.errors:
            (awaited if _may_end(error, preview) else refused).append(Objection(key, error))
        warnings += [Objection(key, warning) for warning in preview.after.warnings]
    return Review(tuple(refused), tuple(harmed), tuple(awaited), tuple(warnings))


def _may_end(error: Finding, preview: Preview) -> bool:
    if error.reason == "TargetNotFound":
        return not preview.missing.isdisjoint(TARGET_GROUPS)
    return error.type == "Orphaned" or _MAY_COME.get(error.reason) in preview.missing
