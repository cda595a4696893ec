"""What a control plane says of itself, as Prometheus and a kubelet ask it."""

import aiohttp


async def metrics_of(address: str) -> dict[str, float]:
    """The figures of the control plane at an address, by name and labels."""
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}:8000/metrics") as response:
        lines = [line for line in (await response.text()).splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


async def probe(address: str, path: str) -> int:
    """The status of an answer; 0 where nobody listens."""
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://{address}:8000{path}") as response:
            return response.status
    except aiohttp.ClientError:
        return 0
