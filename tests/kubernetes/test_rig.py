"""The rig itself: what other tests rely on."""

import subprocess
from pathlib import Path

import pytest

from kubernetes.rig import Api, ApiError, Object, Rig


def service(name: str, address_of: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"app": address_of}, "ports": [{"port": 80}]},
    }


async def test_it_is_the_real_thing(api: Api) -> None:
    made = await api.apply(service("plain", "nobody"))
    assert made["spec"]["clusterIP"].startswith("10.96.")
    assert (await api.get("Service", "plain"))["metadata"]["uid"] == made["metadata"]["uid"]
    with pytest.raises(ApiError, match="Invalid value"):
        await api.apply(service("No-Name", "nobody"))
    await api.delete("Service", "plain")
    with pytest.raises(ApiError) as refused:
        await api.get("Service", "plain")
    assert refused.value.status == 404


async def test_roles_are_enforced(rig: Rig, api: Api) -> None:
    async with Api(rig, "nobody") as nobody:
        with pytest.raises(ApiError) as refused:
            await nobody.list_all("Secret")
    assert refused.value.status == 403


def test_what_is_started_in_a_rig_ends_with_it(tmp_path: Path) -> None:
    from kubernetes.rig.namespace import Namespace

    with Namespace() as namespace:
        command = ["sh", "-c", "setsid sleep 1234 & echo started; wait"]
        with (tmp_path / "log").open("wb") as log:
            process = namespace.spawn(command, folder=tmp_path, log=log)
        inner = Path(f"/proc/{process.pid}/ns/net").readlink()
        assert inner != Path("/proc/self/ns/net").readlink()
    assert process.poll() is not None
    held = subprocess.run(["lsns", "--noheadings", "--output", "NS"], capture_output=True, text=True, check=True)
    assert str(inner).strip("net:[]") not in held.stdout.split()
