"""An App in a cluster: the objects that it stands for are there, stay as they should be, and go; its data stays."""

import asyncio
import base64
import contextlib
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from isoline.cluster.kubernetes.leases import LeaseSettings
from isoline.objects.crds import crd_documents
from kubernetes.planes import (
    PATIENCE,
    Edge,
    defined,
    emptied_of_apps,
    listening_at,
    new_namespace,
    options_for,
    running,
)
from kubernetes.rig import Api, ApiError, Image, Node, Object, Rig

HELLO = """
import http.server, os
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "5"); self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer((os.environ["POD_IP"], int(os.environ["PORT"])), Hello).serve_forever()
"""
IMAGES = {"own/hello": Image((sys.executable,))}
STORAGE = [{"name": "models", "path": "/models", "size": "1Gi"}]
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.fixture
async def namespace(api: Api) -> AsyncIterator[str]:
    """A namespace that lets in only pods without special rights, of a cluster that knows Apps."""
    (definition,) = (each for each in crd_documents() if each["spec"]["names"]["kind"] == "App")
    name = await new_namespace(api)
    await api.patch("Namespace", name, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    async with defined(api, definition), emptied_of_apps(api, name):
        yield name


def app(namespace: str, name: str = "hello", **spec: Any) -> Object:
    run = {"image": "own/hello:1.2", "args": ["-c", HELLO], "port": 5000}
    return {
        "apiVersion": "isoline.dev/v1alpha1",
        "kind": "App",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"run": run, "host": f"{name}.example", **spec},
    }


def certificate(rig: Rig, namespace: str) -> Object:
    chain, key = rig.authority.issue("hello.example", ["hello.example"])
    data = {"tls.crt": base64.b64encode(chain).decode(), "tls.key": base64.b64encode(key).decode()}
    metadata = {"name": "hello-tls", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/tls", "data": data}


def condition(item: Object, kind: str) -> Object:
    found = [each for each in item.get("status", {}).get("conditions", ()) if each["type"] == kind]
    return found[0] if found else {"status": "", "reason": "", "message": ""}


def accepted(item: Object) -> bool:
    current: bool = item.get("status", {}).get("observedGeneration") == item["metadata"]["generation"]
    return current and bool(condition(item, "Accepted")["status"] == "True")


@asynccontextmanager
async def asked(rig: Rig, address: str) -> AsyncIterator[Callable[[], Any]]:
    """A client that asks for the app at its own address."""
    context = ssl.create_default_context(cadata=rig.authority.certificate.decode())
    async with aiohttp.ClientSession() as session:

        async def ask() -> str:
            request = session.get(
                f"https://{address}:8443/",
                ssl=context,
                server_hostname="hello.example",
                headers={"Host": "hello.example"},
            )
            try:
                async with request as response:
                    return await response.text()
            except aiohttp.ClientError as error:
                # Envoy may be about to start.
                return str(error)

        yield ask


async def test_an_app_runs_confined_is_served_and_its_status_says_so(
    rig: Rig, api: Api, namespace: str, tmp_path: Path
) -> None:
    await api.apply(certificate(rig, namespace))
    address = rig.namespace.new_address()
    options = options_for(rig, namespace, adjust=listening_at(address))
    async with (
        Node(rig, api, IMAGES),
        running(options),
        Edge(rig, tmp_path, options, address=address),
        asked(rig, address) as ask,
    ):
        await api.apply(app(namespace, resources={"gpu": 1}, storage=STORAGE))
        found = await api.wait(
            "App", "hello", lambda each: each.get("status", {}).get("phase") == "Ready", namespace=namespace
        )
        async with asyncio.timeout(PATIENCE):
            while (answer := await ask()) != "hello":  # noqa: ASYNC110 - no event tells what Envoy serves
                await asyncio.sleep(0.05)
        path = await api._path("App", "hello", namespace)
        table = await api._request("GET", path, headers={"Accept": TABLE})
        await api.delete("App", "hello", namespace=namespace)
        with contextlib.suppress(ApiError):  # it may have gone with the App
            await api.delete("Deployment", "hello", namespace=namespace)

    assert answer == "hello"
    status = found["status"]
    assert (status["address"], status["readyReplicas"], status["version"]) == ("https://hello.example", 1, "1.2")
    assert {each["type"]: each["status"] for each in status["conditions"]} == {
        "Accepted": "True",
        "Running": "True",
        "Published": "True",
    }
    columns = [each["name"] for each in table["columnDefinitions"]]
    row = dict(zip(columns, table["rows"][0]["cells"], strict=True))
    assert (row["Phase"], row["Ready"], row["Version"]) == ("Ready", 1, "1.2")


async def test_what_somebody_changes_or_deletes_is_put_right(rig: Rig, api: Api, namespace: str) -> None:
    async with running(options_for(rig, namespace)):
        await api.apply(app(namespace))
        await api.wait("App", "hello", accepted, namespace=namespace)
        made = await api.get("Deployment", "hello", namespace=namespace)
        assert {each["manager"] for each in made["metadata"]["managedFields"] if each["operation"] == "Apply"} == {
            "isoline-apps"
        }
        # By a person's hand, in fields that have a default and in others.
        await api.patch("Deployment", "hello", {"spec": {"replicas": 3}}, namespace=namespace)
        await api.wait("Deployment", "hello", lambda each: each["spec"]["replicas"] == 1, namespace=namespace)
        await api.patch(
            "Service", "hello", {"spec": {"selector": {"app.kubernetes.io/name": "x"}}}, namespace=namespace
        )
        await api.wait(
            "Service",
            "hello",
            lambda each: each["spec"]["selector"] == {"app.kubernetes.io/name": "hello"},
            namespace=namespace,
        )
        for kind in ("NetworkPolicy", "HTTPProxy"):
            before = await api.get(kind, "hello", namespace=namespace)
            await api.delete(kind, "hello", namespace=namespace)
            await api.wait(kind, "hello", other_than(before), namespace=namespace)


def other_than(before: Object) -> Callable[[Object], bool]:
    """Another object of the same name."""
    return lambda each: each["metadata"]["uid"] != before["metadata"]["uid"]


async def test_what_an_app_no_longer_wants_goes_and_its_data_stays(rig: Rig, api: Api, namespace: str) -> None:
    async with running(options_for(rig, namespace)):
        first = app(namespace, host=["hello.example", "hallo.example"], resources={"gpu": 1})
        await api.apply(first)
        await api.wait("App", "hello", accepted, namespace=namespace)
        assert len(await api.list_all("HTTPProxy", namespace=namespace)) == 2

        # A Deployment that replaced its replicas one by one now has to end the last one first.
        await api.apply(app(namespace, storage=STORAGE, resources={"gpu": 1}))
        changed = await api.wait(
            "Deployment", "hello", lambda each: each["spec"]["strategy"]["type"] == "Recreate", namespace=namespace
        )
        await api.wait("App", "hello", accepted, namespace=namespace)
        assert [each["metadata"]["name"] for each in await api.list_all("HTTPProxy", namespace=namespace)] == ["hello"]
        assert changed["spec"]["template"]["spec"]["tolerations"][0]["key"] == "nvidia.com/gpu"

        claim = await api.get("PersistentVolumeClaim", "hello-models", namespace=namespace)
        await api.apply(app(namespace))
        owner = await api.wait("App", "hello", accepted, namespace=namespace)
        # The cluster deletes what names an owner that is gone, and nothing else.
        for kind in ("Deployment", "Service", "NetworkPolicy", "HTTPProxy"):
            (reference,) = (await api.get(kind, "hello", namespace=namespace))["metadata"]["ownerReferences"]
            assert (reference["kind"], reference["uid"]) == ("App", owner["metadata"]["uid"])
        kept = await api.get("PersistentVolumeClaim", "hello-models", namespace=namespace)
        assert "ownerReferences" not in kept["metadata"]

        await api.delete("App", "hello", namespace=namespace)
        for kind in ("Deployment", "Service", "NetworkPolicy", "HTTPProxy"):
            with contextlib.suppress(ApiError):
                await api.delete(kind, "hello", namespace=namespace)
        await api.apply(app(namespace, storage=STORAGE))
        await api.wait("App", "hello", accepted, namespace=namespace)
        again = await api.get("PersistentVolumeClaim", "hello-models", namespace=namespace)
        assert again["metadata"]["uid"] == claim["metadata"]["uid"]


async def test_what_others_made_is_not_taken_from_them(rig: Rig, api: Api, namespace: str) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "hello-models", "namespace": namespace},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "5Gi"}}},
    }
    await api.apply(claim)
    async with running(options_for(rig, namespace)):
        await api.apply(app(namespace, storage=STORAGE))
        found = await api.wait(
            "App", "hello", lambda each: condition(each, "Accepted")["status"] == "False", namespace=namespace
        )
    refusal = condition(found, "Accepted")
    assert refusal["reason"] == "Refused"
    assert f"PersistentVolumeClaim {namespace}/hello-models" in refusal["message"]
    kept = await api.get("PersistentVolumeClaim", "hello-models", namespace=namespace)
    assert kept["spec"]["accessModes"] == ["ReadWriteMany"]
    assert "labels" not in kept["metadata"]


async def test_a_fault_is_said_in_the_status_and_nothing_is_made(rig: Rig, api: Api, namespace: str) -> None:
    async with running(options_for(rig, namespace)):
        faulty = app(namespace, tls={"selfSigned": True})
        faulty["spec"]["run"] = {"command": ["./serve"], "port": 5000}
        await api.apply(faulty)
        found = await api.wait("App", "hello", lambda each: "conditions" in each.get("status", {}), namespace=namespace)
        assert await api.list_all("Deployment", namespace=namespace) == []
    said = condition(found, "Accepted")
    assert (said["status"], said["reason"], found["status"]["phase"]) == ("False", "InvalidSpec", "Failed")
    assert "spec.run.image: " in said["message"]
    assert "spec.tls.selfSigned: " in said["message"]


async def test_only_the_leader_makes_objects_and_the_next_one_goes_on(rig: Rig, api: Api, namespace: str) -> None:
    lease = LeaseSettings(namespace=namespace)
    first = contextlib.AsyncExitStack()
    leader = await first.enter_async_context(running(options_for(rig, namespace, lease=lease)))
    await until(lambda: leader.source.leading)
    async with running(options_for(rig, namespace, lease=lease)) as second:
        await api.apply(app(namespace, "one"))
        await api.wait("App", "one", accepted, namespace=namespace)
        assert [leader.source.leading, second.source.leading] == [True, False]
        await first.aclose()
        await api.apply(app(namespace, "two"))
        await api.wait("App", "two", accepted, namespace=namespace)
        assert second.source.leading
        await api.patch("Deployment", "one", {"spec": {"replicas": 2}}, namespace=namespace)
        await api.wait("Deployment", "one", lambda each: each["spec"]["replicas"] == 1, namespace=namespace)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - there is no event for who leads
            await asyncio.sleep(0.02)
