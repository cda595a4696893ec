"""What has become of the GatewayConfig: where the gateway listens, and whether its Envoy runs."""

from collections.abc import Sequence

from isoline.controllers.conditions import Finding, conditions
from isoline.objects import GatewayConfig
from isoline.objects.gateway_config import GatewayConfigStatus


def gateway_status(
    config: GatewayConfig, *, addresses: Sequence[str], trouble: str, now: float, refused: str = ""
) -> GatewayConfigStatus:
    """Return the status of a GatewayConfig.

    `addresses` are those of the listeners, as address:port. `trouble` is what Envoy suffers from, its last words
    included; empty when it runs. `refused` is what it says to a listener or the like that it did not take.
    """
    running = Finding("Running", not trouble, "EnvoyCrashed" if trouble else "EnvoyRuns", trouble)
    return GatewayConfigStatus(
        addresses=tuple(addresses),
        conditions=conditions(
            [running, *_refusal(refused)], config.status.conditions, now=now, generation=config.metadata.generation
        ),
        observed_generation=config.metadata.generation,
    )


def cluster_gateway_status(
    config: GatewayConfig, *, addresses: Sequence[str], trouble: str, now: float, refused: str = ""
) -> GatewayConfigStatus:
    """Return the status of a cluster's GatewayConfig. `trouble` is why what is served may be out of date, or empty;
    `refused` what an Envoy says to a listener or the like that it did not take."""
    current = Finding("UpToDate", not trouble, "NotFollowed" if trouble else "Followed", trouble)
    return GatewayConfigStatus(
        addresses=tuple(addresses),
        conditions=conditions(
            [current, *_refusal(refused)], config.status.conditions, now=now, generation=config.metadata.generation
        ),
        observed_generation=config.metadata.generation,
    )


def _refusal(words: str) -> list[Finding]:
    """What was accepted last goes on; the condition stands while something else is wanted."""
    return [Finding("Accepted", False, "RejectedByEnvoy", words)] if words else []
