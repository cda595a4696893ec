"""Kinds of other projects' operators, which a cluster may have: what Isoline asks them for.

Their specs are theirs to check, and are kept as they are.
"""

from typing import Literal

from isoline.objects.containers import Passthrough
from isoline.objects.meta import Condition, Object
from isoline.objects.model import Model, constant


class CertificateStatus(Model, frozen=True, kw_only=True):
    """What cert-manager says of a Certificate, as far as Isoline repeats it."""

    conditions: tuple[Condition, ...] = ()


class Certificate(Object, frozen=True, kw_only=True):
    """A certificate that cert-manager issues and renews, into the Secret that it names."""

    api_version: Literal["cert-manager.io/v1"] = constant("cert-manager.io/v1")
    kind: Literal["Certificate"] = constant("Certificate")
    spec: Passthrough
    status: CertificateStatus = CertificateStatus()


class ServiceMonitor(Object, frozen=True, kw_only=True):
    """Services of which a Prometheus of the Prometheus operator reads figures."""

    api_version: Literal["monitoring.coreos.com/v1"] = constant("monitoring.coreos.com/v1")
    kind: Literal["ServiceMonitor"] = constant("ServiceMonitor")
    spec: Passthrough
