"""Manifests as tutorials have them decode with neither an error nor a warning."""

from pathlib import Path

import pytest

from isoline.objects import Deployment, HTTPProxy, NetworkPolicy, PersistentVolumeClaim, decode_documents

SEED = Path(__file__).parents[2] / "seed"


@pytest.mark.parametrize("path", sorted(SEED.glob("*.yaml")), ids=lambda path: str(path.name))
def test_nothing_is_wrong_with_the_seed(path: Path) -> None:
    decoded = decode_documents(path.read_bytes(), source=path.name)
    assert (decoded.errors, decoded.warnings) == ([], [])
    assert decoded.objects


def test_the_deployment() -> None:
    deployment, claim, service = decode_documents((SEED / "deployment.yaml").read_bytes()).objects
    assert isinstance(deployment, Deployment)
    container = deployment.spec.template.spec.containers[0]
    assert container.command == ("python", "webui.py", "--port", "7860")
    assert container.resources.limits == {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1"}
    assert container.volume_mounts[0].mount_path == "/root/CosyVoice/outputs"
    assert deployment.spec.strategy.type == "RollingUpdate"
    assert isinstance(claim, PersistentVolumeClaim)
    assert claim.spec.resources.requests == {"storage": "20Gi"}
    assert [str(item.key) for item in (claim, service)] == [
        "PersistentVolumeClaim default/cosyvoice-output-pvc",
        "Service default/cosyvoice-service",
    ]


def test_the_httpproxy() -> None:
    (proxy,) = decode_documents((SEED / "httpproxy.yaml").read_bytes()).objects
    assert isinstance(proxy, HTTPProxy)
    assert proxy.spec.virtualhost is not None
    assert proxy.spec.virtualhost.tls is not None
    assert proxy.spec.virtualhost.tls.secret_name == "voice-tls-secret"
    (route,) = proxy.spec.routes
    assert (route.conditions[0].prefix, route.enable_websockets) == ("/", True)
    (service,) = route.services
    assert (service.name, service.port, service.weight) == ("cosyvoice-service", 7860, 100)
    assert proxy.status.current_status == "NotReconciled"


def test_the_networkpolicy() -> None:
    (policy,) = decode_documents((SEED / "networkpolicy.yaml").read_bytes()).objects
    assert isinstance(policy, NetworkPolicy)
    (rule,) = policy.spec.ingress
    (peer,) = rule.from_
    assert peer.namespace_selector is not None
    assert peer.namespace_selector.match_labels == {"projectcontour.io/enabled": "true"}
    assert [(port.protocol, port.port) for port in rule.ports] == [("TCP", 7860)]
