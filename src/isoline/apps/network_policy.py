"""Who may connect to an App's replicas, and to whom they may."""

from isoline.apps.names import metadata, port, selector
from isoline.apps.profile import Profile
from isoline.objects.app import App
from isoline.objects.meta import LabelSelector
from isoline.objects.networking import (
    IPBlock,
    NetworkPolicy,
    NetworkPolicyEgressRule,
    NetworkPolicyIngressRule,
    NetworkPolicyPeer,
    NetworkPolicyPort,
    NetworkPolicySpec,
)

GATEWAY = NetworkPolicyPeer(
    namespace_selector=LabelSelector(match_labels={"projectcontour.io/enabled": "true"}),
    pod_selector=LabelSelector(match_labels={"app": "envoy"}),
)
MONITORING = NetworkPolicyPeer(
    namespace_selector=LabelSelector(match_labels={"isoline.dev/monitoring": "true"}),
    pod_selector=LabelSelector(match_labels={"app.kubernetes.io/name": "prometheus"}),
)
"""Whoever may label a namespace says who reads figures; the pods are named as the Prometheus operator names them."""
DNS = NetworkPolicyEgressRule(
    ports=(NetworkPolicyPort(port=53, protocol="UDP"), NetworkPolicyPort(port=53, protocol="TCP"))
)


def network_policy(app: App, profile: Profile | None, *, monitored: bool = False) -> NetworkPolicy:
    """Return the policy that lets only the gateway's Envoy reach the app's port, and who reads figures if `monitored`.

    On one machine nothing enforces it; there replicas listen on the loopback address only.
    """
    closed_out = app.spec.egress is not None and app.spec.egress.policy == "Deny"
    peers = (GATEWAY, MONITORING) if monitored else (GATEWAY,)
    return NetworkPolicy(
        metadata=metadata(app, app.metadata.name),
        spec=NetworkPolicySpec(
            pod_selector=LabelSelector(match_labels=selector(app)),
            policy_types=("Ingress", "Egress") if closed_out else ("Ingress",),
            ingress=(NetworkPolicyIngressRule(from_=peers, ports=(NetworkPolicyPort(port=port(app, profile)),)),),
            egress=(DNS, *_destinations(app)) if closed_out else (),
        ),
    )


def _destinations(app: App) -> list[NetworkPolicyEgressRule]:
    assert app.spec.egress is not None
    return [
        NetworkPolicyEgressRule(
            to=(NetworkPolicyPeer(ip_block=IPBlock(cidr=destination.cidr)),),
            ports=tuple(NetworkPolicyPort(port=number) for number in destination.ports),
        )
        for destination in app.spec.egress.allow
    ]
