"""The sites that the benchmarks serve: each one HTTPProxy of its own, as a cluster with many tenants has them."""

from typing import Any

SERVICE = "backend"
Manifest = dict[str, Any]


def backend(port: int, *, name: str = SERVICE, address: str = "127.0.0.1") -> list[Manifest]:
    """A Service whose one endpoint is a server on this machine."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"ports": [{"name": "http", "port": 80, "targetPort": port}]},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": f"{name}-1",
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": "IPv4",
            "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        },
    ]


def host(number: int) -> str:
    return f"site-{number}.bench.example"


def site(number: int, *, version: str = "0", service: str = SERVICE, tls: bool = False) -> Manifest:
    """A site whose responses carry its version in the header `x-version`."""
    virtualhost: Manifest = {"fqdn": host(number)}
    if tls:
        virtualhost["tls"] = {"secretName": "bench-tls"}
    route: Manifest = {
        "conditions": [{"prefix": "/"}],
        "services": [{"name": service, "port": 80}],
        "enableWebsockets": True,
        "timeoutPolicy": {"response": "infinity"},
        "responseHeadersPolicy": {"set": [{"name": "x-version", "value": version}]},
    }
    return {
        "apiVersion": "projectcontour.io/v1",
        "kind": "HTTPProxy",
        "metadata": {"name": f"site-{number}", "namespace": "default"},
        "spec": {"virtualhost": virtualhost, "routes": [route]},
    }
