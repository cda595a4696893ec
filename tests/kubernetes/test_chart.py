"""Whatever values are given, the chart stands for objects that an API server takes, confined as it promises."""

import asyncio
import contextlib
import copy
from collections.abc import AsyncIterator

import pytest

from isoline.objects.crds import crd_documents
from kubernetes.charts import CHART, Object, rendered, run_helm
from kubernetes.foreign import SERVICE_MONITORS
from kubernetes.planes import defined, new_namespace
from kubernetes.rig import Api, ApiError

STUDIO = ("studio.enabled=true", "domain=voice.example.com")
EDGE = (
    "envoy.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
    ".nodeSelectorTerms[0].matchExpressions[0]"
)
HOME = "isoline-system"
"""In values: the namespace of the release."""
VALUES: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "one replica": ("controlPlane.replicas=1", "envoy.replicas=1"),
    "more Envoys": ("envoy.replicas=5", "envoy.concurrency=4", "envoy.logLevel=info"),
    "ports of the node": ("envoy.mode=HostPort",),
    "other ports of the node": ("envoy.mode=HostPort", "envoy.hostPorts.http=8080", "envoy.hostPorts.https=8443"),
    "network of the node": ("envoy.mode=HostNetwork",),
    "network of the node without root": ("envoy.mode=HostNetwork", "envoy.unprivilegedPorts=true"),
    "high ports of the node's network": (
        "envoy.mode=HostNetwork",
        "envoy.hostPorts.http=8080",
        "envoy.hostPorts.https=8443",
    ),
    "HTTP/3": ("envoy.http3=true", "gatewayConfig.listeners.https.http3=true"),
    "HTTP/3 on the node": ("envoy.http3=true", "envoy.mode=HostPort"),
    "a node port": ("envoy.service.type=NodePort", "envoy.service.externalTrafficPolicy=Cluster"),
    "an inner service": ("envoy.service.type=ClusterIP", "statusAddresses={192.0.2.1,edge.example.com}"),
    "a load balancer of one's own": (
        "envoy.service.loadBalancerClass=example.com/edge",
        "envoy.service.loadBalancerSourceRanges={192.0.2.0/24}",
        "envoy.service.annotations.example\\.com/kind=network",
        "envoy.service.ipFamilyPolicy=PreferDualStack",
    ),
    "a few namespaces": (f"watchNamespaces={{{HOME},default}}", "rootNamespaces={default}"),
    "other namespaces": ("watchNamespaces={default,kube-public}",),
    "a class": ("ingressClassName=internal",),
    "settings": ("gatewayConfig.tls.minimumVersion=1.3", "gatewayConfig.trustedHops=1"),
    "certificates of one's own": ("certificates.controlPlaneSecret=ours", "certificates.envoySecret=theirs"),
    "definitions of one's own": ("definitions.upgrade=false",),
    "no network policies": ("networkPolicies.enabled=false",),
    "metrics for one namespace": (
        "networkPolicies.metricsFrom[0].namespaceSelector.matchLabels.team=observers",
        "metrics.serviceMonitor.enabled=true",
        "metrics.serviceMonitor.labels.release=prometheus",
    ),
    "a class of priority": ("priorityClass.create=true", "priorityClass.value=500"),
    "a class of priority that is there": ("priorityClass.name=system-cluster-critical",),
    "an image of one's own": (
        "image.repository=registry.example.com/isoline",
        f"image.digest=sha256:{'a' * 64}",
        "image.pullSecrets[0].name=registry",
        "envoy.image.repository=registry.example.com/envoy",
        "envoy.image.tag=v1.40.0",
    ),
    "placement": (
        "controlPlane.nodeSelector.role=edge",
        "controlPlane.tolerations[0].operator=Exists",
        f"{EDGE}.key=edge",
        f"{EDGE}.operator=Exists",
        "envoy.podAnnotations.note=here",
    ),
    "flags": ("controlPlane.extraArgs={--debug}", "controlPlane.logFormat=text", "fullnameOverride=edge"),
    "the studio": (*STUDIO, "gpuCount=1", "storage=20Gi"),
    "the studio elsewhere": (
        *STUDIO,
        "studio.namespace=default",
        "studio.name=speech",
        "studio.tls.secretName=voice-tls",
        "studio.resources.memory=8Gi",
        "studio.spec.scale.min=2",
    ),
}
CONFINED = [name for name in VALUES if "node" not in name or name == "a node port"]


@pytest.fixture
async def namespace(api: Api) -> AsyncIterator[str]:
    """A namespace that lets in only pods without special rights, in a cluster that knows all kinds of the chart."""
    name = await new_namespace(api)
    await api.patch("Namespace", name, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    async with contextlib.AsyncExitStack() as stack:
        for definition in (*crd_documents(), SERVICE_MONITORS):
            await stack.enter_async_context(defined(api, definition))
        yield name


async def try_out(api: Api, wanted: Object) -> Object:
    """What the API server would make of an object. Raises ApiError where it would not, also for unknown fields."""
    query = {"fieldManager": "test", "force": "true", "dryRun": "All", "fieldValidation": "Strict"}
    headers = {"Content-Type": "application/apply-patch+yaml"}
    return await api._request("PATCH", await api._path_of(wanted), params=query, headers=headers, json=wanted)


def pods(objects: list[Object], namespace: str) -> list[Object]:
    """The pods that workloads among some objects make, but for the accounts and classes that are not there yet."""
    found = []
    for each in objects:
        if each["kind"] in ("Deployment", "DaemonSet", "Job"):
            spec = copy.deepcopy(each["spec"]["template"]["spec"])
            spec.pop("serviceAccountName")
            spec.pop("priorityClassName", None)
            # The account that they get in its place.
            spec["automountServiceAccountToken"] = False
            metadata = {"name": each["metadata"]["name"], "namespace": namespace}
            found.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    return found


async def test_an_api_server_takes_every_object_of_every_choice(api: Api, namespace: str) -> None:
    await api.wait("ServiceAccount", "default", lambda _: True, namespace=namespace)
    given = [[value.replace(HOME, namespace) for value in values] for values in VALUES.values()]
    every = await asyncio.gather(*(asyncio.to_thread(rendered, *values, namespace=namespace) for values in given))
    refused: list[str] = []

    async def all_taken(name: str, objects: list[Object]) -> None:
        for each in [*objects, *(pods(objects, namespace) if name in CONFINED else [])]:
            try:
                await try_out(api, each)
            except ApiError as error:
                refused.append(f"{name}: {each['kind']} {each['metadata']['name']}: {error}")

    await asyncio.gather(*map(all_taken, VALUES, every))
    assert not refused, "\n".join(refused)


async def test_only_what_needs_a_node_for_itself_is_too_much_for_pod_security(api: Api, namespace: str) -> None:
    await api.wait("ServiceAccount", "default", lambda _: True, namespace=namespace)
    given = [VALUES[name] for name in VALUES if name not in CONFINED]
    every = await asyncio.gather(*(asyncio.to_thread(rendered, *values, namespace=namespace) for values in given))
    for objects in every:
        for pod in pods(objects, namespace):
            if pod["metadata"]["name"].endswith("-envoy"):
                with pytest.raises(ApiError, match=r"violates PodSecurity.*(host namespaces|hostPort)"):
                    await try_out(api, pod)
            else:
                await try_out(api, pod)


async def test_root_is_what_only_a_low_port_of_the_node_needs() -> None:
    async def is_root(name: str) -> bool:
        objects = await asyncio.to_thread(rendered, *VALUES[name])
        (envoy,) = (each for each in objects if each["kind"] == "DaemonSet")
        (container,) = (each for each in envoy["spec"]["template"]["spec"]["containers"] if each["name"] == "envoy")
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]
        root: bool = context.get("runAsUser") == 0
        assert context["capabilities"] == {"drop": ["ALL"], **({"add": ["NET_BIND_SERVICE"]} if root else {})}
        return root

    nodes = [name for name in VALUES if name not in CONFINED]
    roots = await asyncio.gather(*map(is_root, nodes))
    assert [name for name, root in zip(nodes, roots, strict=True) if root] == ["network of the node"]


REFUSED = {
    "a misspelt value": (("envoy.replica=3",), "additional properties 'replica' not allowed"),
    "an unknown mode": (("envoy.mode=Magic",), "envoy/mode"),
    "a port that needs a privilege": (("envoy.ports.http=80",), "envoy/ports/http"),
    "a domain that is none": ((*STUDIO[:1], "domain=https://voice.example.com"), "domain"),
    "a size that is none": (("storage=much",), "storage"),
    "half of one's own certificates": (("certificates.envoySecret=theirs",), "certificates.controlPlaneSecret"),
    "a studio without a name": (STUDIO[:1], "domain: the host name at which the studio is to answer"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_mistake_is_told_by_its_name(case: str) -> None:
    values, said = REFUSED[case]
    with pytest.raises(AssertionError) as refused:
        rendered(*values)
    assert said in str(refused.value)


def test_helm_finds_nothing_to_complain_of() -> None:
    assert "0 chart(s) failed" in run_helm("lint", "--strict", CHART)
