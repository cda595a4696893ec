"""Who issues certificates in a cluster, as Apps and the gateway name it."""

from typing import Annotated, Literal

from msgspec import Meta

from isoline.objects.model import Model


class IssuerReference(Model, frozen=True, kw_only=True):
    """A cert-manager issuer."""

    name: Annotated[str, Meta(description="Name of the issuer.")]
    kind: Annotated[Literal["Issuer", "ClusterIssuer"], Meta(description="Kind of the issuer.")] = "ClusterIssuer"
