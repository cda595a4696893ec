"""The kinds that Isoline knows, in the order in which they are listed to people."""

from typing import NamedTuple

from isoline.objects.app import App
from isoline.objects.core import ConfigMap, Namespace, PersistentVolumeClaim, Secret, Service
from isoline.objects.delegation import TLSCertificateDelegation
from isoline.objects.discovery import EndpointSlice
from isoline.objects.disruption import PodDisruptionBudget
from isoline.objects.extension import ExtensionService
from isoline.objects.gateway_config import GatewayConfig
from isoline.objects.httpproxy import HTTPProxy
from isoline.objects.meta import Object
from isoline.objects.networking import Ingress, NetworkPolicy
from isoline.objects.operators import Certificate, ServiceMonitor
from isoline.objects.traffic_policy import TrafficPolicy
from isoline.objects.workloads import Deployment


class Kind(NamedTuple):
    """A kind as the API knows it. `names` are what a person may call it, plural first, as in `isoline get`."""

    api_version: str
    name: str
    type: type[Object]
    names: tuple[str, ...]
    namespaced: bool = True
    # Whether names are single labels, as they become host names or names of Services; else they may hold dots.
    label_name: bool = False

    @property
    def plural(self) -> str:
        """The resource name in URLs, such as `httpproxies`."""
        return self.names[0]

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version in the API group, such as `v1alpha1`."""
        return self.api_version.rpartition("/")[2]


KINDS = (
    Kind("isoline.dev/v1alpha1", "App", App, ("apps", "app"), label_name=True),
    Kind("isoline.dev/v1alpha1", "GatewayConfig", GatewayConfig, ("gatewayconfigs", "gatewayconfig"), namespaced=False),
    Kind("isoline.dev/v1alpha1", "TrafficPolicy", TrafficPolicy, ("trafficpolicies", "trafficpolicy")),
    Kind("projectcontour.io/v1", "HTTPProxy", HTTPProxy, ("httpproxies", "httpproxy", "proxy", "proxies")),
    Kind(
        "projectcontour.io/v1",
        "TLSCertificateDelegation",
        TLSCertificateDelegation,
        ("tlscertificatedelegations", "tlscertificatedelegation", "tlscerts"),
    ),
    Kind(
        "projectcontour.io/v1alpha1",
        "ExtensionService",
        ExtensionService,
        ("extensionservices", "extensionservice", "extsvc"),
    ),
    Kind("networking.k8s.io/v1", "Ingress", Ingress, ("ingresses", "ingress", "ing")),
    Kind("networking.k8s.io/v1", "NetworkPolicy", NetworkPolicy, ("networkpolicies", "networkpolicy", "netpol")),
    Kind("apps/v1", "Deployment", Deployment, ("deployments", "deployment", "deploy")),
    Kind("v1", "Service", Service, ("services", "service", "svc"), label_name=True),
    Kind("discovery.k8s.io/v1", "EndpointSlice", EndpointSlice, ("endpointslices", "endpointslice")),
    Kind("v1", "Secret", Secret, ("secrets", "secret")),
    Kind("v1", "ConfigMap", ConfigMap, ("configmaps", "configmap", "cm")),
    Kind(
        "v1",
        "PersistentVolumeClaim",
        PersistentVolumeClaim,
        ("persistentvolumeclaims", "persistentvolumeclaim", "pvc"),
    ),
    Kind(
        "policy/v1", "PodDisruptionBudget", PodDisruptionBudget, ("poddisruptionbudgets", "poddisruptionbudget", "pdb")
    ),
    Kind("cert-manager.io/v1", "Certificate", Certificate, ("certificates", "certificate", "cert", "certs")),
    Kind("monitoring.coreos.com/v1", "ServiceMonitor", ServiceMonitor, ("servicemonitors", "servicemonitor", "smon")),
    Kind("v1", "Namespace", Namespace, ("namespaces", "namespace", "ns"), namespaced=False, label_name=True),
)

BY_NAME = {kind.name: kind for kind in KINDS}
BY_API = {(kind.api_version, kind.name): kind for kind in KINDS}


def find_kind(word: str) -> Kind | None:
    """Return the kind that a person means by a word: its name, plural or short name, in any case; else None."""
    lowered = word.lower()
    return next((kind for kind in KINDS if lowered in kind.names), None)
