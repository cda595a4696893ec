"""Contour as a cluster runs it: its control plane by a Lease, its Envoys, and its configuration."""

from kubernetes.rig import Object

NAMESPACE = "projectcontour"
STATUS_ADDRESS = "203.0.113.10"
"""What it tells in statuses."""
_BOOTSTRAP = ["contour", "bootstrap", "/config/envoy.json", "--xds-address=contour", "--xds-port=8001"]
_SERVE = [
    *("contour", "serve", "--incluster", "--insecure", "--xds-address=0.0.0.0", "--xds-port=8001"),
    *("--config-path=/config/contour.yaml", f"--ingress-status-address={STATUS_ADDRESS}"),
]


def contour() -> list[Object]:
    """Return the objects of an installation, but for its definitions."""
    account = {"kind": "ServiceAccount", "name": "contour", "namespace": NAMESPACE}
    admin = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        _object("v1", "ServiceAccount", "contour"),
        _object("v1", "ConfigMap", "contour", data={"contour.yaml": "timeouts: {request-timeout: 30s}\n"}),
        _object("v1", "Service", "contour", spec={"selector": {"app": "contour"}, "ports": [{"port": 8001}]}),
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "contour"},
            "roleRef": admin,
            "subjects": [account],
        },
        _object("apps/v1", "Deployment", "contour", spec={"replicas": 1, **_workload("contour", _control_plane())}),
        _object("apps/v1", "DaemonSet", "envoy", spec=_workload("envoy", _envoy())),
    ]


def _object(version: str, kind: str, name: str, **fields: Object) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, **fields}


def _workload(name: str, pod: Object) -> Object:
    labels = {"app": name}
    return {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}


def _control_plane() -> Object:
    container: Object = {
        "name": "contour",
        "image": "contour",
        "command": _SERVE,
        "env": [{"name": "CONTOUR_NAMESPACE", "value": NAMESPACE}],
        "readinessProbe": {"tcpSocket": {"port": 8001}, "periodSeconds": 1},
        "volumeMounts": [{"name": "config", "mountPath": "/config"}],
    }
    volume = {"name": "config", "configMap": {"name": "contour"}}
    return {"serviceAccountName": "contour", "containers": [container], "volumes": [volume]}


def _envoy() -> Object:
    mounts = [{"name": "config", "mountPath": "/config"}]
    first: Object = {"name": "bootstrap", "image": "contour", "command": _BOOTSTRAP, "volumeMounts": mounts}
    flags = ["-c", "/config/envoy.json", "--service-cluster", "contour", "--service-node", "theirs", "-l", "warning"]
    container: Object = {
        "name": "envoy",
        "image": "contour",
        "command": ["envoy", *flags, "--disable-hot-restart", "--concurrency", "1"],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8002}, "periodSeconds": 1},
        "volumeMounts": mounts,
    }
    return {
        "initContainers": [first],
        "containers": [container],
        "volumes": [{"name": "config", "emptyDir": {}}],
        "terminationGracePeriodSeconds": 1,
    }
