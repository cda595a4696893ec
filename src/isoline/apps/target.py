"""Where an App is to run, as far as its objects differ by it."""

from enum import Enum
from typing import NamedTuple

from isoline.objects.issuers import IssuerReference


class Target(Enum):
    """One machine runs programs as processes, and a command without an image too; Kubernetes runs images."""

    MACHINE = "this machine"
    KUBERNETES = "Kubernetes"


class Offered(NamedTuple):
    """What a cluster has for Apps beyond what every cluster has."""

    kinds: frozenset[str] = frozenset()
    """Of `Certificate` and `ServiceMonitor` those that it knows."""
    issuer: IssuerReference | None = None
    """Of certificates of Apps that say nothing of theirs."""


NOTHING_MORE = Offered()
