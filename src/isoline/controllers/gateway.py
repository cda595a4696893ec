"""What has become of the GatewayConfig: where the gateway listens, and whether its Envoy runs."""

from collections.abc import Sequence

from isoline.controllers.conditions import Finding, conditions
from isoline.objects import GatewayConfig
from isoline.objects.gateway_config import GatewayConfigStatus


def gateway_status(config: GatewayConfig, *, addresses: Sequence[str], trouble: str, now: float) -> GatewayConfigStatus:
    """Return the status of a GatewayConfig.

    `addresses` are those of the listeners, as address:port. `trouble` is what Envoy suffers from, its last words
    included; empty when it runs.
    """
    running = Finding("Running", not trouble, "EnvoyCrashed" if trouble else "EnvoyRuns", trouble)
    return GatewayConfigStatus(
        addresses=tuple(addresses),
        conditions=conditions([running], config.status.conditions, now=now, generation=config.metadata.generation),
        observed_generation=config.metadata.generation,
    )


def cluster_gateway_status(
    config: GatewayConfig, *, addresses: Sequence[str], trouble: str, now: float
) -> GatewayConfigStatus:
    """Return the status of a cluster's GatewayConfig. `trouble` is why what is served may be out of date, or empty."""
    current = Finding("UpToDate", not trouble, "NotFollowed" if trouble else "Followed", trouble)
    return GatewayConfigStatus(
        addresses=tuple(addresses),
        conditions=conditions([current], config.status.conditions, now=now, generation=config.metadata.generation),
        observed_generation=config.metadata.generation,
    )
