"""A cluster changes over from Contour, is operated, and is left again: by the commands of the pages, under traffic."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from isoline.objects.crds import crd_documents
from kubernetes import contours
from kubernetes.charts import emptied, images, undefined
from kubernetes.load import PATIENCE, Load, app
from kubernetes.pages import CONTEXT, Reader
from kubernetes.planes import CONTOUR_CRDS, proxy
from kubernetes.rig import Api, ApiError, Image, Node, Object, Rig, binaries
from kubernetes.watching import metrics_of

HOME = "isoline"
HOST = "shop.example.com"
HTTPPROXIES = "httpproxies.projectcontour.io"
MODEST = "envoy.minReadySeconds=1,envoy.concurrency=1,envoy.replicas=1,envoy.drain.delay=0s,controlPlane.replicas=1"
"""The pages have two of each; the machine of a test has better things to do."""
MIGRATION = {"charts/isoline": f"charts/isoline --set {MODEST}"}
OPERATION = {
    "charts/isoline": "charts/isoline --set envoy.logLevel=info,controlPlane.logFormat=text",
    "--context NAME": f"--context {CONTEXT}",
    "NAME": "shop",
    "NAMESPACE": "shop",
    "NODE": "node",
}
NOTES: Object = {
    "apiVersion": "isoline.dev/v1alpha1",
    "kind": "App",
    "metadata": {"name": "notes", "namespace": "shop"},
    "spec": {"run": {"image": "own/app:1", "port": 5000}, "host": "notes.example", "scale": {"min": 1}},
}


def shop(rig: Rig) -> list[Object]:
    """A site that is served on HTTPS, and its certificate."""
    chain, key = rig.authority.issue(HOST, [HOST])
    certificate: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "shop", "namespace": "shop"},
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": chain.decode(), "tls.key": key.decode()},
    }
    host = {"fqdn": HOST, "tls": {"secretName": "shop"}}
    routes = [{"services": [{"name": "app", "port": 80}]}]
    return [certificate, proxy("shop", "shop", virtualhost=host, routes=routes)]


@asynccontextmanager
async def contours_cluster(rig: Rig, api: Api) -> AsyncIterator[None]:
    """A cluster in which Contour serves a site, and nobody has heard of Isoline."""
    path = {"PATH": f"{binaries.contour().parent}:{images()['isoline'].environment['PATH']}"}
    programs = {**images(), "contour": Image((), path)}
    await api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    async with (
        Node(rig, api, programs, own_networks=True),
        undefined(api, contours=True),
        emptied(api, HOME),
        emptied(api, "shop"),
        emptied(api, contours.NAMESPACE),
        app(api, "shop", rig.namespace.new_address()),
    ):
        await api.apply_files(CONTOUR_CRDS)
        for each in [*contours.contour(), *shop(rig)]:
            await api.apply(each)
        await told(api, contours.STATUS_ADDRESS)
        yield


async def told(api: Api, address: str) -> None:
    """Wait until the site's status says that it is served at an address."""

    def says_so(item: Object) -> bool:
        status = item.get("status", {})
        where = [each["ip"] for each in status.get("loadBalancer", {}).get("ingress", ())]
        return bool(status.get("currentStatus") == "valid" and where == [address])

    await api.wait("HTTPProxy", "shop", says_so, namespace="shop")


async def replicas(api: Api, workload: str, namespace: str, count: int) -> None:
    """Wait until a Deployment is what it is to be, with so many replicas and no others."""

    def whole(item: Object) -> bool:
        status = item.get("status", {})
        current = status.get("observedGeneration") == item["metadata"]["generation"]
        counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
        return bool(current and counts == [count] * 3)

    await api.wait("Deployment", workload, whole, namespace=namespace)


async def figures(api: Api) -> dict[str, float]:
    """What the one control plane says of itself."""
    (pod,) = await api.list_all("Pod", namespace=HOME, labelSelector="app.kubernetes.io/component=control-plane")
    return await metrics_of(pod["status"]["podIP"])


async def leads(api: Api) -> dict[str, float]:
    """Wait until the one control plane leads and has nothing left to write; returns its figures."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(OSError, ValueError):
                found = await figures(api)
                if found["isoline_leader"] and not found["isoline_statuses_waiting"]:
                    return found
            await asyncio.sleep(0.1)


async def pods(api: Api) -> set[str]:
    """The pods of Isoline that are not about to end."""
    found = await api.list_all("Pod", namespace=HOME, labelSelector="app.kubernetes.io/instance=isoline")
    return {each["metadata"]["name"] for each in found if "deletionTimestamp" not in each["metadata"]}


async def look_from_a_desk(reader: Reader) -> None:
    """Step 1: the control plane of one's own compiles everything, serves nobody, and writes nothing."""
    desk = await reader.start(next(each for each in reader.left if each.startswith("isoline control-plane")))
    try:
        async with asyncio.timeout(PATIENCE):
            found: dict[str, float] = {}
            while not found.get("isoline_ready"):
                with contextlib.suppress(OSError):
                    found = await metrics_of("127.0.0.1")
                await asyncio.sleep(0.1)
        assert found["isoline_leader"] == 0
    finally:
        desk.terminate()
        await desk.communicate()


async def move_from_contour(reader: Reader, rig: Rig, api: Api) -> str:
    """Steps 1 to 3; returns the address at which Isoline serves."""
    (reader.home / "manifests").mkdir()
    (reader.home / "manifests" / "shop.yaml").write_text(yaml.safe_dump_all(shop(rig)))
    assert "shop" in await reader.run("isoline get httpproxies -A --context production")
    await reader.run(
        *[each for each in reader.left if each.startswith(("isoline check", "kubectl -n projectcontour get"))]
    )
    await look_from_a_desk(reader)
    await reader.run("helm install isoline charts/isoline -n isoline --create-namespace -f handover.yaml")
    await reader.run(
        "kubectl apply -f handover-rights.yaml", "kubectl label namespace isoline projectcontour.io/enabled=true"
    )
    await asyncio.gather(replicas(api, "isoline", HOME, 1), replicas(api, "isoline-envoy", HOME, 1))
    found = await api.wait(
        "Service", "isoline-envoy", lambda each: bool(each["status"]["loadBalancer"]), namespace=HOME
    )
    address = str(found["status"]["loadBalancer"]["ingress"][0]["ip"])
    await served(rig, address)
    asked = [each for each in reader.left if each.startswith(("NEW=", "curl"))]
    assert (await reader.run(*asked)).endswith("hello")
    return address


async def served(rig: Rig, address: str) -> None:
    """Wait until the site is served at an address."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with Load(address, HOST, body="hello", authority=rig.authority.certificate, port=443) as load:
                with contextlib.suppress(AssertionError):
                    return await load.more(1)
            await asyncio.sleep(0.1)


async def hand_over(reader: Reader, api: Api) -> None:
    """Step 5, its way back, and step 5 again."""
    away = "kubectl -n projectcontour scale deployment contour --replicas 0"
    await reader.run(away)
    assert (await leads(api))["isoline_statuses_written_total"] == 0
    ours = (await api.get("Lease", "leader-elect", namespace=contours.NAMESPACE))["spec"]["holderIdentity"]
    await reader.run(
        "kubectl -n projectcontour scale deployment contour --replicas 2",
        "kubectl -n isoline scale deployment isoline --replicas 0",
    )
    await api.wait(
        "Lease",
        "leader-elect",
        lambda lease: lease["spec"].get("holderIdentity", "") not in ("", ours),
        namespace=contours.NAMESPACE,
    )
    await reader.run(away)
    await api.patch("Deployment", "isoline", {"spec": {"replicas": 1}}, namespace=HOME)
    await replicas(api, "isoline", HOME, 1)
    assert (await leads(api))["isoline_statuses_written_total"] == 0


async def take_contour_away(reader: Reader, api: Api, address: str) -> None:
    """Step 6: statuses tell Isoline's own address from then on."""
    await reader.run(*[each for each in reader.left if each.startswith("kubectl -n projectcontour delete d")])
    values = yaml.safe_load((reader.home / "handover.yaml").read_text())
    del values["controlPlane"]["extraArgs"], values["statusAddresses"]
    (reader.home / "handover.yaml").write_text(yaml.safe_dump(values))
    await reader.run(
        "helm upgrade isoline charts/isoline -n isoline -f handover.yaml --wait",
        "kubectl -n projectcontour delete role,rolebinding isoline-handover",
    )
    await leads(api)
    await told(api, address)
    lease = await api.get("Lease", "isoline-leader", namespace=HOME)
    assert lease["spec"]["holderIdentity"]


async def outdate(api: Api) -> None:
    """Has the definitions of our kinds say what an earlier version may have said."""
    for definition in crd_documents():
        names = {**definition["spec"]["names"], "categories": ["outdated"]}
        await api.patch("CustomResourceDefinition", definition["metadata"]["name"], {"spec": {"names": names}})


async def upgrade_and_go_back(reader: Reader, api: Api) -> None:
    """An upgrade replaces every pod, and brings our kinds up to date, not Contour's; a rollback undoes the first."""
    await outdate(api)
    theirs = await api.patch("CustomResourceDefinition", HTTPPROXIES, {"spec": {"names": {"categories": ["theirs"]}}})
    before = await pods(api)
    await reader.run(
        "helm upgrade isoline charts/isoline -n isoline --reuse-values",
        "kubectl -n isoline rollout status deployment isoline",
    )
    await asyncio.gather(replicas(api, "isoline", HOME, 1), replicas(api, "isoline-envoy", HOME, 1))
    between = await pods(api)
    assert not before & between
    for definition in crd_documents():
        found = await api.get("CustomResourceDefinition", definition["metadata"]["name"])
        assert "outdated" not in found["spec"]["names"].get("categories", [])
    kept = await api.get("CustomResourceDefinition", HTTPPROXIES)
    assert kept["metadata"]["generation"] == theirs["metadata"]["generation"]
    await reader.run("helm rollback isoline -n isoline")
    await asyncio.gather(replicas(api, "isoline", HOME, 1), replicas(api, "isoline-envoy", HOME, 1))
    assert not between & await pods(api)


async def look_and_back_up(reader: Reader, api: Api) -> None:
    """What an operator asks now and then, and new certificates between control plane and Envoy."""
    names = {each.partition("{")[0] for each in await figures(api)}
    # Of certificates that are kept there is a row each, and here there are none.
    names |= {"isoline_kept_certificate_expiration_timestamp_seconds"}
    assert set(re.findall(r"\bisoline_[a-z_]+", reader.text)) <= names
    looks = [each for each in reader.left if (" get " in each and ">" not in each) or " describe " in each]
    said = await reader.run(*looks)
    assert "valid" in said
    assert "isoline-leader" in said
    assert "notes" in said
    await reader.run(*[each for each in reader.left if each.endswith("> gateway.yaml")])
    backup = yaml.safe_load((reader.home / "gateway.yaml").read_text())
    assert {each["metadata"]["name"] for each in backup["items"]} >= {"shop", "notes"}
    old = await api.get("Secret", "isoline-xds-envoy", namespace=HOME)
    await reader.run("isoline certgen --kube --namespace isoline --overwrite")
    new = await api.get("Secret", "isoline-xds-envoy", namespace=HOME)
    assert old["data"]["tls.crt"] != new["data"]["tls.crt"]


async def leave(reader: Reader, api: Api) -> None:
    """The node is emptied and taken back, and Isoline goes: what users made stays, what it was made by does not."""
    await reader.run("kubectl drain NODE --ignore-daemonsets --delete-emptydir-data")
    drained = [each for each in await api.list_all("Pod", namespace=HOME) if each["spec"].get("nodeName")]
    assert drained == []
    await reader.run("kubectl uncordon NODE", "helm uninstall isoline -n isoline")
    for kind, name in (("Deployment", "isoline"), ("Deployment", "isoline-envoy"), ("Service", "isoline-envoy")):
        with pytest.raises(ApiError, match="not found"):
            await api.get(kind, name, namespace=HOME)
    assert (await api.get("HTTPProxy", "shop", namespace="shop"))["spec"]["virtualhost"]["fqdn"] == HOST
    assert (await api.get("App", "notes", namespace="shop"))["spec"]["host"] == "notes.example"
    left = [each for kind in ("ClusterRole", "ClusterRoleBinding") for each in await api.list_all(kind)]
    assert not [each["metadata"]["name"] for each in left if "isoline" in each["metadata"]["name"]]


@pytest.mark.timeout(500)
async def test_the_pages_lead_from_contour_through_every_day_and_away(rig: Rig, api: Api, tmp_path: Path) -> None:
    async with contours_cluster(rig, api):
        migration = Reader(rig, tmp_path, "migrate-from-contour.md", {**MIGRATION, "NAME": "notes"}, namespace="shop")
        address = await move_from_contour(migration, rig, api)
        operation = Reader(rig, tmp_path, "operations.md", OPERATION, namespace="shop")
        authority = rig.authority.certificate
        async with Load(address, HOST, body="hello", authority=authority, port=443, rate=25) as load:
            await hand_over(migration, api)
            await take_contour_away(migration, api, address)
            await load.more(20)
            await upgrade_and_go_back(operation, api)
            await load.more(20)
            await api.apply(NOTES)
            await api.wait("Deployment", "notes", lambda _: True, namespace="shop")
            await look_and_back_up(operation, api)
            await migration.run("kubectl delete app NAME --cascade=orphan")
            await api.get("Deployment", "notes", namespace="shop")
            await api.apply(NOTES)
            await load.more(20)
        await leave(operation, api)
        # Said by both pages, once is enough.
        assert (migration.left, operation.left) == (["helm uninstall isoline -n isoline"], [])
