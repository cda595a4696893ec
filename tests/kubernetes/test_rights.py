"""The control plane needs these rights and no others."""

from typing import Any

from isoline.cluster.kubernetes.kubeconfig import from_kubeconfig
from isoline.cluster.kubernetes.leases import LeaseSettings
from isoline.objects.crds import crd_documents
from kubernetes.planes import defined, emptied_of_apps, new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Rig

FOLLOW = ["list", "watch"]
WRITE = ["create", "patch"]
"""What server-side apply needs."""
MAKE = ["get", *WRITE, "delete"]

EVERYWHERE = [
    {
        "apiGroups": ["projectcontour.io"],
        "resources": ["httpproxies", "tlscertificatedelegations", "extensionservices"],
        "verbs": FOLLOW,
    },
    {"apiGroups": ["isoline.dev"], "resources": ["apps", "gatewayconfigs", "trafficpolicies"], "verbs": FOLLOW},
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": FOLLOW},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": FOLLOW},
    {"apiGroups": [""], "resources": ["services", "secrets"], "verbs": FOLLOW},
    {
        "apiGroups": ["projectcontour.io"],
        "resources": ["httpproxies/status", "extensionservices/status"],
        "verbs": ["patch"],
    },
    {
        "apiGroups": ["isoline.dev"],
        "resources": ["apps/status", "gatewayconfigs/status", "trafficpolicies/status"],
        "verbs": ["patch"],
    },
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses/status"], "verbs": ["patch"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": WRITE},
    # What Apps stand for. What others made under the same name is looked at, and left alone.
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": [*FOLLOW, *MAKE]},
    {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": [*FOLLOW, *MAKE]},
    {"apiGroups": [""], "resources": ["services"], "verbs": MAKE},
    {"apiGroups": ["projectcontour.io"], "resources": ["httpproxies"], "verbs": MAKE},
    {"apiGroups": ["isoline.dev"], "resources": ["trafficpolicies"], "verbs": MAKE},
    # Data is never deleted.
    {"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": [*FOLLOW, "get", *WRITE]},
]
AT_HOME = [
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
    # Its own certificates, to renew them.
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", *WRITE]},
]


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
    async with defined(api, ours[0]), defined(api, ours[1]), emptied_of_apps(api, namespace):
        await check(rig, api, namespace)


async def check(rig: Rig, api: Api, namespace: str) -> None:
    await grant(api, "ClusterRole", "isoline-test", EVERYWHERE, None)
    await grant(api, "Role", "isoline-test", AT_HOME, namespace)
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
            # Everything that can go goes again, and is deleted.
            del app["spec"]["affinity"]
            app["spec"]["host"] = "app.example"
            await api.apply(app)
            await api.wait("App", "app", expanded, namespace=namespace)
            assert await api.list_all("TrafficPolicy", namespace=namespace) == []
            assert plane.source.statuses.failed == 0
    finally:
        for kind in ("ClusterRoleBinding", "ClusterRole"):
            await api.delete(kind, "isoline-test")
