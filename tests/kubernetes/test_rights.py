"""The control plane needs the rights that the Helm chart gives it, and no others."""

from typing import Any

from isoline.cluster.kubernetes.kubeconfig import from_kubeconfig
from isoline.cluster.kubernetes.leases import LeaseSettings
from isoline.objects.crds import crd_documents
from kubernetes.charts import Object, rendered
from kubernetes.foreign import CERTIFICATES, SERVICE_MONITORS
from kubernetes.planes import defined, emptied_of_apps, new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Rig

GOES = ("TrafficPolicy", "PodDisruptionBudget", "Certificate", "ServiceMonitor")
"""Kinds of which an App has one as long as it asks for it."""


async def grant(api: Api, kind: str, name: str, rules: list[dict[str, Any]], namespace: str | None) -> None:
    place = {"namespace": namespace} if namespace else {}
    group = "rbac.authorization.k8s.io"
    metadata = {"name": name, **place}
    await api.apply({"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "rules": rules})
    await api.apply(
        {
            "apiVersion": f"{group}/v1",
            "kind": f"{kind}Binding",
            "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": kind, "name": name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "nobody"}],
        }
    )


def expanded(item: dict[str, Any]) -> bool:
    """Whether everything that an App stands for now was accepted."""
    status = item.get("status", {})
    current: bool = status.get("observedGeneration") == item["metadata"]["generation"]
    return current and bool(status["conditions"][0]["status"] == "True")


async def test_with_exactly_these_rights_it_follows_leads_and_writes(rig: Rig, api: Api) -> None:
    namespace = await new_namespace(api)
    ours = [each for each in crd_documents() if each["spec"]["names"]["kind"] in ("App", "TrafficPolicy")]
    async with (
        defined(api, ours[0]),
        defined(api, ours[1]),
        defined(api, CERTIFICATES),
        defined(api, SERVICE_MONITORS),
        emptied_of_apps(api, namespace),
    ):
        await check(rig, api, namespace)


def rights(namespace: str) -> tuple[list[Object], list[Object]]:
    """Rules of the control plane: those of ClusterRoles, and those in its own namespace."""
    found = [
        each for each in rendered(namespace=namespace) if "helm.sh/hook" not in each["metadata"].get("annotations", {})
    ]
    of = {
        kind: [rule for each in found if each["kind"] == kind for rule in each["rules"]]
        for kind in ("ClusterRole", "Role")
    }
    return of["ClusterRole"], of["Role"]


async def check(rig: Rig, api: Api, namespace: str) -> None:
    everywhere, at_home = rights(namespace)
    await grant(api, "ClusterRole", "isoline-test", everywhere, None)
    await grant(api, "Role", "isoline-test", at_home, namespace)
    await api.apply(proxy("allowed", namespace))
    app: dict[str, Any] = {
        "apiVersion": "isoline.dev/v1alpha1",
        "kind": "App",
        "metadata": {"name": "app", "namespace": namespace},
        "spec": {
            "run": {"image": "own/app:1", "port": 5000},
            "host": ["app.example", "more.example"],
            "storage": [{"name": "data", "path": "/data"}],
            "affinity": "Cookie",
            "scale": {"min": 2},
            "tls": {"issuer": {"name": "acme"}},
            "metrics": {},
        },
    }
    await api.apply(app)
    options = options_for(
        rig,
        namespace,
        namespaces=(),
        connection=from_kubeconfig([rig.kubeconfig_of("nobody")]),
        lease=LeaseSettings(namespace=namespace),
        rotate_in=namespace,
    )
    try:
        async with running(options) as plane:
            judged = await api.wait(
                "HTTPProxy", "allowed", lambda item: "conditions" in item.get("status", {}), namespace=namespace
            )
            assert judged["status"]["currentStatus"] == "valid"
            assert plane.source.leading
            assert not plane.source.problems
            await api.wait("App", "app", expanded, namespace=namespace)
            for kind in GOES:
                assert len(await api.list_all(kind, namespace=namespace)) == 1, kind
            # Everything that can go goes again, and is deleted.
            for field in ("affinity", "scale", "tls", "metrics"):
                del app["spec"][field]
            app["spec"]["host"] = "app.example"
            await api.apply(app)
            await api.wait("App", "app", expanded, namespace=namespace)
            for kind in GOES:
                assert await api.list_all(kind, namespace=namespace) == [], kind
            assert plane.source.statuses.failed == 0
    finally:
        for kind in ("ClusterRoleBinding", "ClusterRole"):
            await api.delete(kind, "isoline-test")
