"""What an App's pods may do in a cluster: what Pod Security calls restricted, and no more."""

from isoline.objects.containers import Passthrough

GROUP = 65532
"""The group that may write to an App's volumes; images that run as nobody in particular use it by custom."""


def pod_security(*, has_volumes: bool) -> Passthrough:
    """Return the security context of a pod. Its volumes belong to a group that its programs are in."""
    confined: Passthrough = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    # A large volume is not walked through at each start.
    return confined | ({"fsGroup": GROUP, "fsGroupChangePolicy": "OnRootMismatch"} if has_volumes else {})


def container_security() -> Passthrough:
    """Return the security context of a container."""
    return {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
