"""A bootstrap that changed needs a new process; nobody who uses the old one notices."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from isoline.envoy import EnvoyError, binary

Traffic = Callable[..., Any]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(40):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def running(pid: int | None) -> bool:
    return Path(f"/proc/{pid}/exe").exists()


async def test_no_request_fails_and_the_old_process_serves_to_the_end(site: Any, traffic: Traffic) -> None:
    envoy = site.supervisor(drain_seconds=4)
    await envoy.start()
    await envoy.wait_ready(20)
    old = envoy.pid

    async with httpx.AsyncClient(trust_env=False, timeout=30) as client, traffic(site.url) as visitors:
        slow = asyncio.create_task(client.get(f"{site.url}/slow", params={"seconds": "2"}))
        await until(lambda: site.app.slow_requests)
        await envoy.reconfigure(site.settings(max_connections=1000))
        assert envoy.pid != old
        assert (await envoy.admin.server_info()).epoch == 1
        await visitors.more(20)
        assert running(old)
        assert (await slow).text == "begin end"
        await until(lambda: "Retired" in site.reasons())
        await visitors.more(50)
    assert visitors.failures == []
    assert not running(old)
    assert site.reasons() == ["Started", "Replaced", "Retired"]
    assert envoy.restarts == 0


async def test_the_same_settings_change_nothing(site: Any) -> None:
    envoy = site.supervisor(drain_seconds=2)
    await envoy.start()
    await envoy.wait_ready(20)
    pid = envoy.pid
    await envoy.reconfigure(site.settings())
    assert envoy.pid == pid


async def test_settings_that_envoy_refuses_leave_the_old_one_in_place(site: Any, traffic: Traffic) -> None:
    envoy = site.supervisor(drain_seconds=2)
    await envoy.start()
    await envoy.wait_ready(20)
    pid = envoy.pid
    async with traffic(site.url) as visitors:
        with pytest.raises(EnvoyError, match=r"goes on with the old one: .*max heap size must be greater than 0"):
            await envoy.reconfigure(site.settings(max_heap_bytes=0))
        await visitors.more(20)
    assert visitors.failures == []
    assert envoy.pid == pid
    assert await envoy.admin.ready()


async def test_one_replacement_after_another(site: Any, traffic: Traffic) -> None:
    envoy = site.supervisor(drain_seconds=2)
    await envoy.start()
    await envoy.wait_ready(20)
    async with traffic(site.url) as visitors:
        for number in range(1, 4):
            await envoy.reconfigure(site.settings(max_connections=1000 + number))
            assert (await envoy.admin.server_info()).epoch == number
            await visitors.more(20)
        await until(lambda: site.reasons().count("Retired") == 3)
    assert visitors.failures == []


async def test_an_adopted_one_with_other_settings_is_replaced(site: Any, traffic: Traffic) -> None:
    first = site.supervisor(drain_seconds=2)
    await first.start()
    await first.wait_ready(20)
    await first.detach()
    async with traffic(site.url) as visitors:
        second = site.supervisor(site.settings(max_connections=1000), drain_seconds=2)
        await second.start()
        await until(lambda: "Retired" in site.reasons())
        await visitors.more(20)
    assert visitors.failures == []
    assert site.reasons() == ["Started", "Adopted", "Replaced", "Retired"]


async def test_another_version_of_envoy_takes_over_too(
    site: Any, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two versions may not understand each other's hot restart: they share the port by SO_REUSEPORT instead.

    As the old one closes its socket, the kernel resets the connections that were given to it and not taken yet. Nothing
    was answered on them: who connects again, as browsers do, gets the new one.
    """
    first = site.supervisor(drain_seconds=2)
    await first.start()
    await first.wait_ready(20)
    old = first.pid
    await first.detach()
    monkeypatch.setattr(binary, "version", lambda: "999.0.0")
    async with traffic(site.url, again=True) as visitors:
        second = site.supervisor(drain_seconds=2)
        await second.start()
        await until(lambda: "Retired" in site.reasons())
        assert (await second.admin.server_info()).epoch == 0
        assert second.pid != old
        await visitors.more(50)
    assert visitors.failures == []
    async with traffic(site.url) as visitors:
        await visitors.more(50)
    assert visitors.failures == []


async def test_one_that_only_drains_is_not_taken_for_one_that_serves(site: Any) -> None:
    """The new process crashed while nobody was there to see it; the old one takes no connections any more."""
    first = site.supervisor(drain_seconds=3)
    await first.start()
    await first.wait_ready(20)
    old = first.pid
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        slow = asyncio.create_task(client.get(f"{site.url}/slow", params={"seconds": "1.5"}))
        await until(lambda: site.app.slow_requests)
        await first.reconfigure(site.settings(max_connections=1000))
        await first.detach()
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)

        second = site.supervisor(drain_seconds=3)
        await second.start()
        await second.wait_ready(20)
        assert second.pid != old
        assert (await client.get(site.url)).text == "hello"
        assert (await slow).text == "begin end"
    assert "Adopted" not in site.reasons()


async def test_a_crash_right_after_a_replacement_does_not_harm_the_old_ones_requests(site: Any) -> None:
    envoy = site.supervisor(drain_seconds=3)
    await envoy.start()
    await envoy.wait_ready(20)
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        slow = asyncio.create_task(client.get(f"{site.url}/slow", params={"seconds": "1.5"}))
        await until(lambda: site.app.slow_requests)
        await envoy.reconfigure(site.settings(max_connections=1000))
        assert envoy.pid is not None
        os.kill(envoy.pid, signal.SIGKILL)
        await until(lambda: envoy.restarts == 1 and envoy.state == "running")
        await envoy.wait_ready(20)
        assert (await slow).text == "begin end"
        # Its successor gone, it is ended by the supervisor.
        await until(lambda: "Retired" in site.reasons())
