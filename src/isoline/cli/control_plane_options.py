"""What `isoline control-plane` is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from isoline.cluster.kubernetes.connection import Connection
from isoline.cluster.kubernetes.leases import LeaseSettings
from isoline.objects import GatewayConfig, Key
from isoline.xds.credentials import CertificateFiles


class Address(NamedTuple):
    """Where something listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a person may say to `isoline control-plane`."""

    connection: Connection
    identity: str
    """Of this replica among its fellows."""
    namespaces: tuple[str, ...] = ()
    """Those that are watched; all when empty."""
    config: GatewayConfig | None = None
    """Counts where the cluster has no GatewayConfig named `default`."""
    adjust: Callable[[GatewayConfig], GatewayConfig] = field(default=lambda config: config)
    """What flags say, on top of either."""
    http_port: int
    https_port: int
    """Where Envoy listens, unless the GatewayConfig says so."""
    xds: Address
    xds_certificates: CertificateFiles | None = None
    """None: whoever reaches the address is served."""
    rotate_in: str | None = None
    """The namespace of the Secrets from which these files come, where the leader is to renew them."""
    metrics: Address
    snapshot: Path | None = None
    """Where what Envoys were sent is kept, for one that starts while the API server is away."""
    lease: LeaseSettings | None = None
    """None: there are no fellows, and this replica writes."""
    status_addresses: tuple[str, ...] = ()
    """Where traffic arrives, for statuses; else the addresses of `envoy_service`."""
    envoy_service: Key | None = None
