"""What Envoy's admin interface tells, asked of the real one."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from isoline.envoy import AdminClient, AdminError, binary


@pytest.fixture
async def admin(site: Any) -> AdminClient:
    envoy = site.supervisor()
    await envoy.start()
    await envoy.wait_ready(20)
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(site.url)).text == "hello"
    client_of_admin: AdminClient = envoy.admin
    return client_of_admin


async def test_server_info(admin: AdminClient) -> None:
    info = await admin.server_info()
    assert info.version == binary.version()
    assert info.state == "LIVE"
    assert info.uptime >= 0
    assert await admin.ready()


async def test_clusters_with_their_endpoints(admin: AdminClient, site: Any) -> None:
    clusters = {cluster.name: cluster for cluster in await admin.clusters()}
    assert set(clusters) == {"app", "xds"}
    (endpoint,) = clusters["app"].endpoints
    assert endpoint.address == f"127.0.0.1:{site.app.port}"
    assert (endpoint.healthy, endpoint.flags, endpoint.weight, endpoint.active_requests) == (True, (), 1, 0)


async def test_listeners_with_their_addresses(admin: AdminClient, site: Any) -> None:
    (listener,) = await admin.listeners()
    assert (listener.name, listener.addresses) == ("http", (f"127.0.0.1:{site.port}",))


async def test_stats_by_pattern(admin: AdminClient) -> None:
    stats = await admin.stats(r"^cluster\.app\.upstream_rq_(total|200)$")
    assert stats == {"cluster.app.upstream_rq_200": 1, "cluster.app.upstream_rq_total": 1}


async def test_config_dump_by_resource_and_name(admin: AdminClient) -> None:
    (dumped,) = await admin.config_dump(resource="dynamic_active_clusters", name_regex="app")
    assert dumped["cluster"]["name"] == "app"
    (masked,) = await admin.config_dump(resource="dynamic_active_clusters", mask="cluster.type")
    assert masked["cluster"].keys() == {"@type", "type"}
    with pytest.raises(AdminError, match="GET /config_dump with 4"):
        await admin.config_dump(resource="no_such_resource")


async def test_no_certificates_without_tls(admin: AdminClient) -> None:
    assert await admin.certificates() == []


async def test_runtime_is_set_until_the_process_ends(admin: AdminClient) -> None:
    await admin.set_runtime({"isoline.test": "7"})
    assert (await admin.stats(r"^runtime\.num_keys$"))["runtime.num_keys"] >= 3


async def test_quit(admin: AdminClient, site: Any) -> None:
    pid = site.supervisors[0].pid
    await site.supervisors[0].detach()
    await admin.quit()
    (process,) = site.supervisors[0]._table.processes
    assert (await process.wait()).code == 0
    assert process.pid == pid
    assert not await admin.ready()


async def test_nobody_there(tmp_path: Path) -> None:
    client = AdminClient(tmp_path / "admin.sock")
    assert not await client.ready()
    with pytest.raises(AdminError, match=r"admin socket .*/admin.sock does not answer"):
        await client.clusters()
