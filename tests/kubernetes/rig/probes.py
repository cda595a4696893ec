"""Whether a container is as its probes want it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import aiohttp

from .api import Object

Execute = Callable[[Sequence[str], float], Awaitable[bool]]


async def passes(probe: Object, container: Object, address: str, execute: Execute) -> bool:
    """Return whether a probe (or a hook, which looks alike) succeeds now."""
    patience = float(probe.get("timeoutSeconds", 1))
    with contextlib.suppress(OSError, TimeoutError, aiohttp.ClientError):
        if "exec" in probe:
            return await execute(probe["exec"]["command"], patience)
        if "sleep" in probe:
            await asyncio.sleep(min(probe["sleep"]["seconds"], patience))
            return True
        if "httpGet" in probe:
            return await _http(probe["httpGet"], container, address, patience)
        port = _port(container, (probe.get("tcpSocket") or probe["grpc"])["port"])
        async with asyncio.timeout(patience):
            _, writer = await asyncio.open_connection(address, port)
            writer.close()
            return True
    return False


async def _http(wanted: Object, container: Object, address: str, patience: float) -> bool:
    scheme = wanted.get("scheme", "HTTP").lower()
    url = f"{scheme}://{wanted.get('host', address)}:{_port(container, wanted['port'])}{wanted.get('path', '/')}"
    headers = {each["name"]: each["value"] for each in wanted.get("httpHeaders", ())}
    timeout = aiohttp.ClientTimeout(total=patience)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(url, headers=headers, ssl=False, allow_redirects=False) as response,
    ):
        return 200 <= response.status < 400


def _port(container: Object, port: int | str) -> int:
    if isinstance(port, int):
        return port
    named: list[int] = [each["containerPort"] for each in container.get("ports", ()) if each.get("name") == port]
    return named[0]
