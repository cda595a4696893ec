"""The rig itself: what other tests rely on."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from kubernetes.rig import Api, ApiError, Image, Node, Object, Rig
from kubernetes.rig.waiting import until


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


KILLED = """
import pathlib, sys, time
from kubernetes.rig.namespace import Namespace
namespace = Namespace()
process = namespace.spawn(["sh", "-c", "setsid sleep 1234 & wait"], folder=pathlib.Path("/"), log=None)
print(process.pid, flush=True)
time.sleep(1234)
"""


def test_nothing_outlives_a_test_run_that_is_killed(rig: Rig) -> None:
    command = [sys.executable, "-c", KILLED]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as run:
        assert run.stdout is not None
        inner = int(run.stdout.readline())
        assert is_running(inner)
        run.kill()
    asyncio.run(until(lambda: not is_running(inner)))


def is_running(pid: int) -> bool:
    """Whether a process does anything yet; what nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


SETTINGS: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings"},
    "data": {"color": "green"},
}
ECHO = """
import http.server, os, signal, sys
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = "\\n".join([os.environ["WHO"], open("/settings/color").read(), self.path]).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer((os.environ["POD_IP"], 8000), Echo).serve_forever()
"""


def deployment(name: str, image: str, replicas: int = 1) -> Object:
    container: Object = {
        "name": "main",
        "image": image,
        "args": ["-c", ECHO],
        "env": [{"name": "WHO", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8000}, "periodSeconds": 1},
        "volumeMounts": [{"name": "settings", "mountPath": "/settings"}],
        "resources": {"limits": {"nvidia.com/gpu": "1"}},
    }
    volumes = [{"name": "settings", "configMap": {"name": "settings"}}]
    pod = {"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 5}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    }


async def test_a_node_runs_pods_and_services_reach_them(rig: Rig, api: Api) -> None:
    images = {"echo": Image((sys.executable,))}
    async with Node(rig, api, images) as node, aiohttp.ClientSession() as client:
        web = service("web", "web")
        web["spec"]["ports"][0]["targetPort"] = 8000
        await api.apply_all([SETTINGS, web, deployment("web", "echo:1", replicas=2)])
        await api.wait("Deployment", "web", lambda each: each["status"].get("readyReplicas") == 2)
        address = (await api.get("Service", "web"))["spec"]["clusterIP"]

        async def answer() -> list[str]:
            async with client.get(f"http://{address}/x") as response:
                return (await response.text()).splitlines()

        who, color, path = await answer()
        assert who.startswith("web-")
        assert (color, path) == ("green", "/x")

        before = set(node.pods)
        node.pod(f"default/{who}").kill("main")
        restarted = await api.wait("Pod", who, lambda each: _restarts(each) == 1 and _ready(each))
        assert restarted["metadata"]["uid"] in before

        await api.delete("Pod", who)
        await api.wait("Deployment", "web", lambda each: each["status"].get("readyReplicas") == 2)
        await api.delete("Deployment", "web")
        await api.delete("ConfigMap", "settings")
        await until(lambda: not node.pods)


async def test_pods_with_networks_of_their_own_may_listen_at_the_same_port(rig: Rig, api: Api) -> None:
    wide = deployment("wide", "echo:1", replicas=2)
    (container,) = wide["spec"]["template"]["spec"]["containers"]
    container["args"][1] = ECHO.replace('os.environ["POD_IP"]', '"0.0.0.0"')
    async with (
        Node(rig, api, {"echo": Image((sys.executable,))}, own_networks=True) as node,
        aiohttp.ClientSession() as client,
    ):
        await api.apply_all([SETTINGS, wide])
        await api.wait("Deployment", "wide", lambda each: each["status"].get("readyReplicas") == 2)
        said = {}
        for pod in list(node.pods.values()):
            async with client.get(f"http://{pod.address}:8000/") as response:
                said[pod.name] = f"default/{(await response.text()).splitlines()[0]}"
        assert len(said) == 2
        assert all(name == answer for name, answer in said.items())
        await api.delete("Deployment", "wide")
        await api.delete("ConfigMap", "settings")
        await until(lambda: not node.pods)


async def test_a_pod_that_cannot_start_says_why(rig: Rig, api: Api) -> None:
    async with Node(rig, api, {}):
        await api.apply(deployment("strange", "unknown:1"))
        async for _, pod in api.watch("Pod", labelSelector="app=strange"):
            if told := _message(pod):
                assert told == 'configmap "settings" not found'
                break
        await api.apply(SETTINGS)
        async for _, pod in api.watch("Pod", labelSelector="app=strange"):
            if "unknown" in _message(pod):
                break
        await api.delete("Deployment", "strange")


def _restarts(pod: Object) -> int:
    restarts: int = pod["status"]["containerStatuses"][0]["restartCount"]
    return restarts


def _ready(pod: Object) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"]["conditions"])


def _message(pod: Object) -> str:
    containers = pod["status"].get("containerStatuses", ())
    return "".join(each["state"].get("waiting", {}).get("message", "") for each in containers)
