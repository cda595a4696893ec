"""projectcontour.io/v1 TLSCertificateDelegation: whose Secrets other namespaces may use."""

from typing import Literal

from isoline.objects.httpproxy import DetailedCondition
from isoline.objects.meta import Object
from isoline.objects.model import Model, constant


class CertificateDelegation(Model, frozen=True, kw_only=True):
    """`target_namespaces` may hold `*`, for all of them."""

    secret_name: str
    target_namespaces: tuple[str, ...]


class TLSCertificateDelegationSpec(Model, frozen=True, kw_only=True):
    delegations: tuple[CertificateDelegation, ...]


class TLSCertificateDelegationStatus(Model, frozen=True, kw_only=True):
    conditions: tuple[DetailedCondition, ...] = ()


class TLSCertificateDelegation(Object, frozen=True, kw_only=True):
    api_version: Literal["projectcontour.io/v1"] = constant("projectcontour.io/v1")
    kind: Literal["TLSCertificateDelegation"] = constant("TLSCertificateDelegation")
    spec: TLSCertificateDelegationSpec
    status: TLSCertificateDelegationStatus = TLSCertificateDelegationStatus()
