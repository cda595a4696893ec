"""How soon something is heard, with one client and with eight, in a plain style and with a feeling."""

from typing import Any

from benchmarks import speech


async def measure() -> dict[str, Any]:
    """First audio and real-time factor by style and number of clients."""
    async with speech.studio() as stack:
        return {
            style: {str(clients): await speech.measure_clients(stack, clients, how=how) for clients in (1, 8)}
            for style, how in (("plain", ""), ("feeling", speech.FEELING))
        }
