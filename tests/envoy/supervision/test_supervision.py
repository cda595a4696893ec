"""The real Envoy is started, kept running, taken over and ended."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from isoline.envoy import EnvoyError
from isoline.processes import ProcessTable

Traffic = Callable[[str], Any]


async def get(url: str, **more: Any) -> str:
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        answer = await client.get(url, **more)
    answer.raise_for_status()
    return answer.text


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def shared_memory_and_sockets(directory: Path, base_id: int) -> list[Path]:
    shared = Path(f"/dev/shm/envoy_shared_memory_{base_id * 10}")
    return [file for file in [shared, *directory.rglob("*")] if (file == shared and file.exists()) or file.is_socket()]


def modes_of_files(directory: Path) -> dict[str, int]:
    return {file.name: file.lstat().st_mode & 0o777 for file in directory.rglob("*") if not file.is_dir()}


def running(pid: int | None) -> bool:
    return Path(f"/proc/{pid}/exe").exists()


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


async def test_it_serves_what_the_control_plane_sends(site: Any) -> None:
    envoy = site.supervisor()
    assert envoy.state == "stopped"
    await envoy.start()
    await envoy.wait_ready(20)
    assert await get(site.url) == "hello"
    assert envoy.state == "running"
    info = await envoy.admin.server_info()
    assert (info.state, info.epoch, info.concurrency) == ("LIVE", 0, 1)


async def test_it_is_not_ready_before_it_has_a_configuration(site: Any) -> None:
    await site.control_plane.stop()
    envoy = site.supervisor()
    await envoy.start()
    with pytest.raises(EnvoyError, match=r"not ready after 1 s$"):
        await envoy.wait_ready(1)
    await site.control_plane.start()
    await envoy.wait_ready(20)


async def test_after_a_crash_it_is_back_at_once(site: Any) -> None:
    envoy = site.supervisor()
    await envoy.start()
    await envoy.wait_ready(20)
    first = envoy.pid
    kill(first)
    await until(lambda: envoy.restarts == 1 and envoy.state == "running")
    await envoy.wait_ready(20)
    assert envoy.pid != first
    assert await get(site.url) == "hello"
    crash = next(event for event in site.events if event.reason == "Crashed")
    assert "Envoy was ended by SIGKILL; it is started again in 0.1 s" in crash.message


async def test_without_its_shim_it_is_restarted_too(site: Any) -> None:
    envoy = site.supervisor()
    await envoy.start()
    await envoy.wait_ready(20)
    kill(json.loads((site.state / "processes" / "envoy-0" / "state.json").read_text())["shim_pid"])
    await until(lambda: envoy.restarts == 1 and envoy.state == "running")
    await envoy.wait_ready(20)
    assert await get(site.url) == "hello"


async def test_one_that_cannot_run_is_tried_less_and_less_often(site: Any) -> None:
    """A heap of no size at all is refused by Envoy as it starts."""
    envoy = site.supervisor(site.settings(max_heap_bytes=0))
    await envoy.start()
    await until(lambda: site.reasons().count("Crashed") >= 3)
    delays = [event.message.split(" in ")[1].split(" s.")[0] for event in site.events if event.reason == "Crashed"]
    assert delays[:3] == ["0.1", "0.2", "0.4"]
    assert "max heap size must be greater than 0" in envoy.last_words
    with pytest.raises(
        EnvoyError, match=r"It crashed [0-9]+ times and said: (?s:.)*max heap size must be greater than 0"
    ):
        await envoy.wait_ready(0.2)

    await envoy.reconfigure(site.settings())
    await envoy.wait_ready(20)
    assert await get(site.url) == "hello"


SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from isoline.envoy import BootstrapSettings, Envoy
from isoline.processes import ProcessTable

async def main():
    state = Path(sys.argv[1])
    settings = BootstrapSettings(node_id="test", xds_socket=state / "xds.sock")
    envoy = Envoy(ProcessTable(state / "processes"), state / "envoy", settings, 1)
    await envoy.start()
    await envoy.wait_ready(20)
    print(envoy.pid, flush=True)
    await asyncio.sleep(1000)

asyncio.run(main())
"""


async def test_the_traffic_does_not_notice_a_killed_control_plane(site: Any, traffic: Traffic) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SUPERVISOR, str(site.state)), stdout=subprocess.PIPE, env=environment
    )
    assert owner.stdout is not None
    pid = int(await owner.stdout.readline())
    async with traffic(site.url) as visitors:
        owner.kill()
        await site.control_plane.stop()
        await owner.wait()
        await visitors.more(50)

        await site.control_plane.start()
        streams = site.control_plane.streams
        envoy = site.supervisor()
        await envoy.start()
        assert envoy.pid == pid
        await envoy.wait_ready(20)
        await until(lambda: site.control_plane.streams > streams)
        await visitors.more(50)
    assert visitors.failures == []
    assert site.reasons() == ["Adopted"]

    # It is looked after like one of our own.
    kill(pid)
    await until(lambda: envoy.restarts == 1 and envoy.state == "running")
    await envoy.wait_ready(20)


async def test_stop_lets_requests_end_and_takes_no_new_ones(site: Any) -> None:
    envoy = site.supervisor()
    await envoy.start()
    await envoy.wait_ready(20)
    pid = envoy.pid
    slow = asyncio.create_task(get(f"{site.url}/slow", params={"seconds": "1.5"}))
    await until(lambda: site.app.slow_requests)
    stopping = asyncio.create_task(envoy.stop(drain=20))
    await until(lambda: refused(site.port))
    assert not slow.done()
    assert envoy.state == "draining"
    assert await slow == "begin end"
    await stopping
    assert envoy.state == "stopped"
    assert not running(pid)
    assert site.reasons() == ["Started", "Stopped"]


async def test_stop_does_not_wait_for_idle_connections(site: Any) -> None:
    envoy = site.supervisor()
    await envoy.start()
    await envoy.wait_ready(20)
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(site.url)).text == "hello"
        async with asyncio.timeout(20):
            await envoy.stop(drain=1000)


async def test_stop_waits_no_longer_than_the_drain_time(site: Any) -> None:
    envoy = site.supervisor()
    await envoy.start()
    await envoy.wait_ready(20)
    slow = asyncio.create_task(get(f"{site.url}/slow", params={"seconds": "100"}))
    await until(lambda: site.app.slow_requests)
    await envoy.stop(drain=0.3)
    with pytest.raises(httpx.HTTPError):
        await slow


async def test_stop_ends_what_a_killed_control_plane_left_and_leaves_nothing(site: Any) -> None:
    envoy = site.supervisor()
    await envoy.start()
    await envoy.wait_ready(20)
    pid, base_id = envoy.pid, int(ProcessTable(site.state / "processes").adopt()[0].labels["base-id"])
    await envoy.detach()

    await site.supervisor().stop(drain=1)
    assert not running(pid)
    assert shared_memory_and_sockets(site.state / "envoy", base_id) == []


async def test_stop_and_start_again(site: Any) -> None:
    envoy = site.supervisor()
    for _ in range(2):
        await envoy.start()
        await envoy.wait_ready(20)
        assert await get(site.url) == "hello"
        await envoy.stop(drain=1)


async def test_two_on_one_machine_do_not_meet(make_site: Callable[[Path], Awaitable[Any]], tmp_path: Path) -> None:
    one, two = await make_site(tmp_path / "one"), await make_site(tmp_path / "two")
    envoys = [one.supervisor(), two.supervisor()]
    await asyncio.gather(*(envoy.start() for envoy in envoys))
    await asyncio.gather(*(envoy.wait_ready(20) for envoy in envoys))
    await envoys[0].stop(drain=1)
    assert refused(one.port)
    assert await get(two.url) == "hello"


async def test_a_state_folder_with_a_very_long_path(
    make_site: Callable[[Path], Awaitable[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket's address holds 107 bytes; this folder's path alone has more."""
    deep = tmp_path / ("long-" * 15) / ("longer-" * 15)
    deep.mkdir(parents=True)
    # Only for the control plane of this test, which binds its socket by its path.
    monkeypatch.chdir(deep)
    site = await make_site(Path("state"))
    site.state = deep / "state"
    envoy = site.supervisor()
    await envoy.start()
    await envoy.wait_ready(20)
    assert await get(site.url) == "hello"
    await envoy.stop(drain=1)


async def test_what_only_the_owner_may_touch(site: Any) -> None:
    envoy = site.supervisor()
    await envoy.start()
    await envoy.wait_ready(20)
    modes = modes_of_files(site.state / "envoy")
    assert modes.keys() >= {"bootstrap.json", "admin.sock"}
    assert set(modes.values()) == {0o600}


async def test_its_log_can_be_read(site: Any) -> None:
    await site.control_plane.stop()
    envoy = site.supervisor()
    await envoy.start()
    await until(lambda: any("config stream to xds closed" in line.text for line in envoy.logs[0].read()))
    spec = json.loads((site.state / "processes" / "envoy-0" / "spec.json").read_text())
    assert spec["env"] == {}
