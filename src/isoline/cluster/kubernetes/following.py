"""Which kinds of a cluster are followed, and which objects of each."""

from collections.abc import Callable, Iterable, Sequence

from isoline.cluster.kubernetes.client import Client
from isoline.cluster.kubernetes.objects import MANAGED_BY, PREFIX
from isoline.cluster.kubernetes.reflector import Reflector, Sink
from isoline.objects import Key
from isoline.objects.registry import BY_NAME

TLS_SECRETS = "type=kubernetes.io/tls"
OTHER_SECRETS = "type!=kubernetes.io/tls,type!=kubernetes.io/service-account-token,type!=helm.sh/release.v1"
"""What may be looked up by name; the largest and the most numerous of those that nobody names are left out."""

ROUTING = (
    "HTTPProxy",
    "TLSCertificateDelegation",
    "ExtensionService",
    "TrafficPolicy",
    "Ingress",
    "Service",
    "EndpointSlice",
    "Secret",
    "GatewayConfig",
)
"""The kinds that a gateway is made of."""
APPS = ("App",)
"""What our controllers make objects for."""
MADE = ("Deployment", "PersistentVolumeClaim", "NetworkPolicy", "PodDisruptionBudget")
"""The kinds that our controllers make and that no gateway is made of."""
OPTIONAL = ("Certificate", "ServiceMonitor")
"""Kinds of other projects that our controllers make where a cluster knows them, and lets us."""


def reflectors(
    client: Client,
    sink: Sink,
    *,
    kinds: Sequence[str],
    ours: Sequence[str],
    optional: Sequence[str],
    singles: Iterable[Key],
    namespaces: Sequence[str],
    every_secret: bool,
    insistent: bool,
    on_offer: Callable[[Reflector], None],
) -> list[Reflector]:
    """Return a reflector a kind and namespace, and one for each of `singles` that these leave out.

    Of the kinds in `ours` only what we manage is followed. `on_offer` is told of the state of those in `optional`.
    """
    whole = [
        Reflector(
            client,
            BY_NAME[kind],
            sink,
            namespace=namespace,
            field_selector=TLS_SECRETS if kind == "Secret" and not every_secret else "",
            label_selector=f"{MANAGED_BY}={PREFIX}" if kind in ours else "",
            insistent=insistent and kind not in optional,
            on_state=on_offer if kind in optional else None,
        )
        for kind in (*kinds, *ours)
        for namespace in (namespaces if namespaces and BY_NAME[kind].namespaced else (None,))
    ]
    single = [
        Reflector(client, BY_NAME[key.kind], sink, namespace=key.namespace, field_selector=f"metadata.name={key.name}")
        for key in singles
        if namespaces and key.namespace not in namespaces
    ]
    return whole + single
