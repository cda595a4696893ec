"""networking.k8s.io: Ingress and NetworkPolicy, whole."""

from typing import Literal

from isoline.objects.core import IntOrString, LoadBalancerStatus
from isoline.objects.meta import LabelSelector, Object, TypedLocalObjectReference
from isoline.objects.model import Model, constant


class ServiceBackendPort(Model, frozen=True, kw_only=True):
    """A port of a Service, by name or by number."""

    name: str = ""
    number: int = 0


class IngressServiceBackend(Model, frozen=True, kw_only=True):
    name: str
    port: ServiceBackendPort = ServiceBackendPort()


class IngressBackend(Model, frozen=True, kw_only=True):
    service: IngressServiceBackend | None = None
    resource: TypedLocalObjectReference | None = None


class HTTPIngressPath(Model, frozen=True, kw_only=True):
    """`path_type` is Prefix, Exact or ImplementationSpecific."""

    path: str = ""
    path_type: str
    backend: IngressBackend


class HTTPIngressRuleValue(Model, frozen=True, kw_only=True):
    paths: tuple[HTTPIngressPath, ...]


class IngressRule(Model, frozen=True, kw_only=True):
    host: str = ""
    http: HTTPIngressRuleValue | None = None


class IngressTLS(Model, frozen=True, kw_only=True):
    hosts: tuple[str, ...] = ()
    secret_name: str = ""


class IngressSpec(Model, frozen=True, kw_only=True):
    ingress_class_name: str | None = None
    default_backend: IngressBackend | None = None
    tls: tuple[IngressTLS, ...] = ()
    rules: tuple[IngressRule, ...] = ()


class IngressStatus(Model, frozen=True, kw_only=True):
    load_balancer: LoadBalancerStatus = LoadBalancerStatus()


class Ingress(Object, frozen=True, kw_only=True):
    api_version: Literal["networking.k8s.io/v1"] = constant("networking.k8s.io/v1")
    kind: Literal["Ingress"] = constant("Ingress")
    spec: IngressSpec = IngressSpec()
    status: IngressStatus = IngressStatus()


class IPBlock(Model, frozen=True, kw_only=True):
    cidr: str
    except_: tuple[str, ...] = ()


class NetworkPolicyPeer(Model, frozen=True, kw_only=True):
    """Either an IP block, or pods by their labels and their namespace's; an empty selector matches all."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None


class NetworkPolicyPort(Model, frozen=True, kw_only=True):
    port: IntOrString | None = None
    end_port: int | None = None
    protocol: str = "TCP"


class NetworkPolicyIngressRule(Model, frozen=True, kw_only=True):
    from_: tuple[NetworkPolicyPeer, ...] = ()
    ports: tuple[NetworkPolicyPort, ...] = ()


class NetworkPolicyEgressRule(Model, frozen=True, kw_only=True):
    to: tuple[NetworkPolicyPeer, ...] = ()
    ports: tuple[NetworkPolicyPort, ...] = ()


class NetworkPolicySpec(Model, frozen=True, kw_only=True):
    """`policy_types` names the directions that are closed but for the rules: Ingress, Egress."""

    pod_selector: LabelSelector = LabelSelector()
    policy_types: tuple[str, ...] = ()
    ingress: tuple[NetworkPolicyIngressRule, ...] = ()
    egress: tuple[NetworkPolicyEgressRule, ...] = ()


class NetworkPolicy(Object, frozen=True, kw_only=True):
    api_version: Literal["networking.k8s.io/v1"] = constant("networking.k8s.io/v1")
    kind: Literal["NetworkPolicy"] = constant("NetworkPolicy")
    spec: NetworkPolicySpec = NetworkPolicySpec()
