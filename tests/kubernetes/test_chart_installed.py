"""The chart, installed by Helm in a cluster whose node runs processes: traffic flows, and no change of it cuts any."""

from collections.abc import AsyncIterator

import pytest

from isoline.objects.crds import crd_documents
from kubernetes.charts import CHART, Release, emptied, images, restricted, undefined
from kubernetes.load import Load
from kubernetes.planes import proxy
from kubernetes.rig import Api, ApiError, Node, Object, Rig

NAMESPACE = "gateways"
QUICK = ("envoy.minReadySeconds=1", "envoy.concurrency=1", "envoy.replicas=1", "controlPlane.replicas=1")
"""Of each program one: the next must be ready before it goes."""
CONTOURS = "httpproxies.projectcontour.io"
APP = {
    "apiVersion": "isoline.dev/v1alpha1",
    "kind": "App",
    "metadata": {"name": "kept", "namespace": NAMESPACE},
    "spec": {"run": {"image": "own/app:1", "port": 5000}, "host": "kept.example", "scale": {"min": 1}},
}


@pytest.fixture
async def release(rig: Rig, api: Api) -> AsyncIterator[Release]:
    """A release in a namespace that lets in only confined pods, in a cluster that knows none of its kinds."""
    await restricted(api, NAMESPACE)
    async with Node(rig, api, images(), own_networks=True), undefined(api, contours=True), emptied(api, NAMESPACE):
        yield Release(rig, api, "isoline", NAMESPACE)


@pytest.mark.timeout(400)
async def test_it_is_installed_upgraded_rolled_back_and_uninstalled(release: Release, api: Api) -> None:
    assert "Install complete" in await release.install(CHART, *QUICK)
    await api.apply(proxy("installed", NAMESPACE))
    address = await release.address()
    judged = await api.wait(
        "HTTPProxy", "installed", lambda each: "loadBalancer" in each["status"], namespace=NAMESPACE
    )
    assert judged["status"]["currentStatus"] == "valid"
    assert [each["ip"] for each in judged["status"]["loadBalancer"]["ingress"]] == [address]
    await outdate(api)
    theirs = await api.patch("CustomResourceDefinition", CONTOURS, {"spec": {"names": {"categories": ["theirs"]}}})
    async with Load(address, "installed.example", body="hello", port=80, rate=25) as load:
        await load.more(20)
        before = await pods(api)
        await release.upgrade(CHART, *QUICK, "envoy.logLevel=info", "controlPlane.logFormat=text")
        between = await pods(api)
        assert not before & between
        await load.more(20)
        await release.rollback(1)
        assert not between & await pods(api)
        await load.more(20)
    assert await revision(api, "Deployment", "isoline-envoy") == "3"
    for definition in crd_documents():
        found = await api.get("CustomResourceDefinition", definition["metadata"]["name"])
        assert "outdated" not in found["spec"]["names"].get("categories", [])
    kept = await api.get("CustomResourceDefinition", CONTOURS)
    assert kept["metadata"]["generation"] == theirs["metadata"]["generation"]

    # What users made stays; what it was made by goes.
    await api.apply(APP)
    await release.uninstall()
    for kind, name in (("Deployment", "isoline"), ("Deployment", "isoline-envoy"), ("Service", "isoline-envoy")):
        with pytest.raises(ApiError, match="not found"):
            await api.get(kind, name, namespace=NAMESPACE)
    assert (await api.get("App", "kept", namespace=NAMESPACE))["spec"]["host"] == "kept.example"
    assert (await api.get("HTTPProxy", "installed", namespace=NAMESPACE))["spec"] == proxy("installed", NAMESPACE)[
        "spec"
    ]
    left = [each for kind in ("ClusterRole", "ClusterRoleBinding") for each in await api.list_all(kind)]
    assert not [each["metadata"]["name"] for each in left if "isoline" in each["metadata"]["name"]]


async def outdate(api: Api) -> None:
    """Has the definitions of our kinds say what an earlier version may have said."""
    for definition in crd_documents():
        names = {**definition["spec"]["names"], "categories": ["outdated"]}
        await api.patch("CustomResourceDefinition", definition["metadata"]["name"], {"spec": {"names": names}})


async def pods(api: Api) -> set[str]:
    """The pods of the release that are ready and not about to end."""
    found = await api.list_all("Pod", namespace=NAMESPACE, labelSelector="app.kubernetes.io/instance=isoline")
    return {
        each["metadata"]["name"] for each in found if "deletionTimestamp" not in each["metadata"] and is_ready(each)
    }


def is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


async def revision(api: Api, kind: str, name: str) -> str:
    found = await api.get(kind, name, namespace=NAMESPACE)
    return str(found["metadata"]["annotations"]["deployment.kubernetes.io/revision"])
