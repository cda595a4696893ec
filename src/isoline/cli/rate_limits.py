"""The rate-limit service that `isoline up` runs where the GatewayConfig asks for one of our own."""

from pathlib import Path

from isoline.envoy.rate_limit_server import RateLimitServer, storage_of
from isoline.envoy.rate_limits import Limit, Rule, Rules
from isoline.objects import GatewayConfig
from isoline.objects.gateway_rate_limits import RateLimitServiceConfig


def rules_of(config: RateLimitServiceConfig) -> Rules:
    """Return what a configuration limits."""
    return Rules(
        Rule(tuple((entry.key, entry.value) for entry in limit.entries), Limit(limit.requests, limit.unit))
        for limit in config.limits
    )


class OwnRateLimits:
    """Runs while it is wanted, and counts on while its limits change; another storage begins anew."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._server: RateLimitServer | None = None
        self._storage = ""

    async def follow(self, config: GatewayConfig | None) -> None:
        """Be as the configuration says. Raises RateLimitServerError when it cannot; until then all is as it was."""
        wanted = None if config is None else config.spec.rate_limit_service
        if wanted is None or wanted.extension_service is not None:
            await self.stop()
            return
        if self._server is None or wanted.storage != self._storage:
            storage = storage_of(wanted.storage)
            await self.stop()
            server = RateLimitServer(f"unix:{self._socket}", storage)
            await server.start()
            self._server, self._storage = server, wanted.storage
        self._server.rules = rules_of(wanted)

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop()
            self._server = None
