"""What the API server has is served by Envoy, and statuses say what became of it."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from isoline.cli.control_plane_options import Address
from isoline.objects import Key
from isoline.objects.crds import crd_documents
from kubernetes.planes import HTTP, PATIENCE, Edge, defined, listening_at, new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Rig

ISOLINE = Path(sys.executable).parent / "isoline"


@pytest.fixture
async def namespace(api: Api) -> str:
    return await new_namespace(api)


def judged(item: dict[str, Any]) -> bool:
    conditions = item.get("status", {}).get("conditions", [])
    return any(each.get("observedGeneration") == item["metadata"]["generation"] for each in conditions)


async def test_a_change_is_served_and_its_status_written(rig: Rig, api: Api, namespace: str, tmp_path: Path) -> None:
    await api.apply(proxy("a", namespace, "one"))
    address = rig.namespace.new_address()
    options = options_for(rig, namespace, adjust=listening_at(address), status_addresses=("192.0.2.7", "edge.example"))
    async with running(options), Edge(rig, tmp_path, options, address=address) as edge:
        await edge.until_body("a.example", "one")
        await api.apply(proxy("a", namespace, "two"))
        await edge.until_body("a.example", "two")
        found = await api.wait("HTTPProxy", "a", judged, namespace=namespace)
        assert found["status"]["currentStatus"] == "valid"
        assert found["status"]["loadBalancer"] == {"ingress": [{"ip": "192.0.2.7"}, {"hostname": "edge.example"}]}
        managers = [each for each in found["metadata"]["managedFields"] if each.get("subresource") == "status"]
        assert [(each["manager"], each["operation"]) for each in managers] == [("isoline", "Apply")]
        await api.delete("HTTPProxy", "a", namespace=namespace)
        await edge.until("a.example", lambda answer: answer[0] == 404)


async def test_what_is_wrong_stands_in_the_status_with_contours_words(rig: Rig, api: Api, namespace: str) -> None:
    async with running(options_for(rig, namespace)):
        await api.apply(proxy("b", namespace, routes=[{"services": [{"name": "missing", "port": 80}]}]))
        found = await api.wait("HTTPProxy", "b", judged, namespace=namespace)
    (condition,) = found["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("Valid", "False", "ErrorPresent")
    assert [(each["type"], each["reason"]) for each in condition["errors"]] == [
        ("ServiceError", "ServiceUnresolvedReference")
    ]


async def test_an_object_of_another_class_gets_no_status_and_one_that_leaves_ours_loses_it(
    rig: Rig, api: Api, namespace: str
) -> None:
    async with running(options_for(rig, namespace)):
        await api.apply(proxy("other", namespace, ingressClassName="nginx"))
        await api.apply(proxy("leaves", namespace))
        await api.wait("HTTPProxy", "leaves", judged, namespace=namespace)
        await api.apply(proxy("leaves", namespace, ingressClassName="nginx"))
        await api.wait(
            "HTTPProxy", "leaves", lambda item: "conditions" not in item.get("status", {}), namespace=namespace
        )
        other = await api.get("HTTPProxy", "other", namespace=namespace)
    assert "conditions" not in other.get("status", {})


async def test_what_is_wrong_with_an_ingress_is_an_event_of_it_and_one_that_repeats_is_counted(
    rig: Rig, api: Api, namespace: str
) -> None:
    backend = {"service": {"name": "missing", "port": {"number": 80}}}
    rule = {"host": "i.example", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "i", "namespace": namespace},
        "spec": {"rules": [rule]},
    }
    async with running(options_for(rig, namespace)) as plane:
        await api.apply(ingress)
        async with asyncio.timeout(PATIENCE):
            while not (found := await api.list_all("Event", namespace=namespace)):  # noqa: ASYNC110 - simply asked
                await asyncio.sleep(0.02)
        (event,) = found
        about = Key("Ingress", namespace, "i")
        plane.source.events.warning(about, event["reason"], event["message"])
        counted = await api.wait(
            "Event", event["metadata"]["name"], lambda item: item["count"] == 2, namespace=namespace
        )
    assert counted["type"] == "Warning"
    assert counted["reason"] == "ServiceUnresolvedReference"
    assert (counted["involvedObject"]["kind"], counted["involvedObject"]["name"]) == ("Ingress", "i")
    assert counted["source"]["component"] == "isoline"


async def test_the_gateway_config_of_the_cluster_counts_and_says_where_it_listens_and_whether_it_is_up_to_date(
    rig: Rig, api: Api, namespace: str
) -> None:
    (definition,) = (each for each in crd_documents() if each["spec"]["names"]["kind"] == "GatewayConfig")
    async with defined(api, definition):
        config = {
            "apiVersion": "isoline.dev/v1alpha1",
            "kind": "GatewayConfig",
            "metadata": {"name": "default"},
            "spec": {"listeners": {"http": {"port": 18080}}},
        }
        await api.apply(config)
        options = options_for(rig, namespace, adjust=listening_at("192.0.2.1"))
        async with running(options):
            found = await api.wait("GatewayConfig", "default", lambda item: "status" in item, namespace="")
        await api.delete("GatewayConfig", "default", namespace="")
    assert found["status"]["addresses"] == ["192.0.2.1:18080", "192.0.2.1:8443"]
    (condition,) = found["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("UpToDate", "True", "Followed")


class ByHand(Edge):
    """An Envoy that starts with what `isoline envoy bootstrap` has written."""

    def write(self, path: Path) -> None:
        settings = self.settings
        xds = ["--xds-address", settings.xds_address, "--xds-port", str(settings.xds_port)]
        admin = ["--admin-address", settings.admin_address]
        subprocess.run([ISOLINE, "envoy", "bootstrap", str(path), *xds, *admin], check=True)


async def test_the_commands_of_a_shell_serve_a_cluster(rig: Rig, api: Api, namespace: str, tmp_path: Path) -> None:
    await api.apply(proxy("shell", namespace))
    address = rig.namespace.new_address()
    options = replace(options_for(rig, namespace), xds=Address("127.0.0.1", 8101))
    flags = {
        "kubeconfig": rig.kubeconfig,
        "watch-namespaces": namespace,
        "xds-port": options.xds.port,
        "metrics-address": options.metrics,
        "http-port": HTTP,
        "envoy-service-http-address": address,
        "envoy-service-https-address": address,
    }
    rig.spawn("shell", [ISOLINE, "control-plane", "--disable-leader-election", *flags_of(flags)])
    async with ByHand(rig, tmp_path, options, address=address) as edge:
        await edge.until_body("shell.example", "hello")
        assert rig.stop("shell") == 0
        assert await edge.get("shell.example") == (200, "hello")


def flags_of(values: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in values.items()]
