"""`isoline rate-limits`: the rate-limit service alone, for clusters; an ExtensionService leads Envoy to it."""

import asyncio
import signal
from pathlib import Path

import structlog
from watchfiles import awatch

from isoline.cli.errors import UsedWronglyError
from isoline.cli.files import read_manifests
from isoline.cli.rate_limits import rules_of
from isoline.envoy.rate_limit_server import RateLimitServer, RateLimitServerError, storage_of
from isoline.objects import GatewayConfig
from isoline.objects.gateway_rate_limits import RateLimitServiceConfig

_log = structlog.get_logger(__name__)


def read_config(path: Path) -> RateLimitServiceConfig:
    """Return what the one GatewayConfig in a file or directory says. Raises UsedWronglyError with every error."""
    found = read_manifests([path])
    if found.errors:
        raise UsedWronglyError("\n".join(str(error) for error in found.errors))
    for item in found.objects:
        if isinstance(item, GatewayConfig) and item.spec.rate_limit_service is not None:
            return item.spec.rate_limit_service
    raise UsedWronglyError(f"{path}: no GatewayConfig with spec.rateLimitService in it")


async def serve(path: Path, address: str, stop: asyncio.Event) -> None:
    """Serves until `stop` is set, and follows what changes at `path`. Raises RateLimitServerError at the start."""
    config, watched = read_config(path), _watched(path)
    server = RateLimitServer(address, storage_of(config.storage))
    server.rules = rules_of(config)
    await server.start()
    try:
        async for _ in awatch(watched, stop_event=stop):
            try:
                server.rules = rules_of(read_config(path))
            except UsedWronglyError as error:
                # What was good is better than nothing.
                _log.warning("limits stay as they were", error=str(error))
    finally:
        await server.stop()


def _watched(path: Path) -> Path:
    """A file is replaced by name, so what is watched is its folder."""
    return path if path.is_dir() else path.parent


def run(path: Path, address: str) -> None:
    """Serves until SIGINT or SIGTERM."""
    try:
        asyncio.run(_run(path, address))
    except RateLimitServerError as error:
        raise UsedWronglyError(str(error)) from error


async def _run(path: Path, address: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(path, address, stop)
