"""The control plane needs these rights and no others."""

from typing import Any

from isoline.cluster.kubernetes.kubeconfig import from_kubeconfig
from isoline.cluster.kubernetes.leases import LeaseSettings
from kubernetes.planes import new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Rig

FOLLOW = ["list", "watch"]
WRITE = ["create", "patch"]
"""What server-side apply needs."""

EVERYWHERE = [
    {
        "apiGroups": ["projectcontour.io"],
        "resources": ["httpproxies", "tlscertificatedelegations", "extensionservices"],
        "verbs": FOLLOW,
    },
    {"apiGroups": ["isoline.dev"], "resources": ["gatewayconfigs", "trafficpolicies"], "verbs": FOLLOW},
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
        "resources": ["gatewayconfigs/status", "trafficpolicies/status"],
        "verbs": ["patch"],
    },
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses/status"], "verbs": ["patch"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": WRITE},
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


async def test_with_exactly_these_rights_it_follows_leads_and_writes(rig: Rig, api: Api) -> None:
    namespace = await new_namespace(api)
    await grant(api, "ClusterRole", "isoline-test", EVERYWHERE, None)
    await grant(api, "Role", "isoline-test", AT_HOME, namespace)
    await api.apply(proxy("allowed", namespace))
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
            assert plane.source.statuses.failed == 0
    finally:
        for kind in ("ClusterRoleBinding", "ClusterRole"):
            await api.delete(kind, "isoline-test")
