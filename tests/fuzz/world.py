"""What generated objects find when they come: Services with replicas, Secrets, servers to ask, and the witness."""

import base64
import json
import textwrap
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric import ec

from isoline.objects import Object, decode_object
from unit.routing.support import pair, self_signed
from unit.xds.authority import Authority

WITNESS = "witness.test"
NAMESPACES = ("default", "team", "witness")


def _jwks() -> bytes:
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (base64.urlsafe_b64encode(each.to_bytes(32, "big")).rstrip(b"=").decode() for each in (numbers.x, numbers.y))
    return json.dumps({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "1", "x": x, "y": y}]}).encode()


def _contents() -> dict[str, dict[str, bytes]]:
    authority = Authority("clients")
    chain, key = pair()
    other_chain, other_key = self_signed("one.example")
    return {
        "tls": {"tls.crt": chain, "tls.key": key},
        "other": {"tls.crt": other_chain, "tls.key": other_key},
        "ca": {"ca.crt": authority.pem},
        "crl": {"crl.pem": authority.revoke(1, 2)},
        "jwks": {"jwks.json": _jwks()},
        "opaque": {"text": b"no such thing"},
    }


CONTENTS = _contents()
"""The data of each Secret, where nothing is wrong with it."""

_TEXT = """
apiVersion: isoline.dev/v1alpha1
kind: GatewayConfig
metadata: {name: default}
spec:
  listeners: {http: {address: 127.0.0.1}, https: {address: 127.0.0.1}}
  timeouts: {drain: 1s}
  enableExternalNameService: true
  rateLimitService: {extensionService: {name: asked, namespace: default}}
  tls: {fallbackCertificate: {name: tls, namespace: team}}
---
apiVersion: projectcontour.io/v1
kind: TLSCertificateDelegation
metadata: {name: all, namespace: team}
spec: {delegations: [{secretName: tls, targetNamespaces: ["*"]}, {secretName: ca, targetNamespaces: ["*"]}]}
---
apiVersion: projectcontour.io/v1alpha1
kind: ExtensionService
metadata: {name: asked, namespace: default}
spec: {services: [{name: app, port: 80}], protocol: h2c}
---
apiVersion: projectcontour.io/v1alpha1
kind: ExtensionService
metadata: {name: asked-by-http, namespace: default}
spec: {services: [{name: app, port: 80}], protocol: http/1.1}
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: witness, namespace: witness, creationTimestamp: "2025-01-01T00:00:00Z"}
spec:
  virtualhost: {fqdn: witness.test, tls: {secretName: tls}}
  routes:
  - {conditions: [{prefix: /app}], services: [{name: app, port: 80}], permitInsecure: true}
  - {conditions: [{prefix: /}], directResponsePolicy: {statusCode: 200, body: here}, permitInsecure: true}
"""


def base(port: int) -> list[Object]:
    """The objects at the start; every Service leads to this port of the machine."""
    manifests = [*yaml.safe_load_all(textwrap.dedent(_TEXT))]
    for namespace in NAMESPACES:
        manifests += [_secret(name, namespace) for name in CONTENTS]
        for name in ("app", "other"):
            manifests += [_service(name, namespace), _replicas(name, namespace, port)]
    return [decode_object(each) for each in manifests]


def _metadata(name: str, namespace: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, **more}


def _secret(name: str, namespace: str) -> dict[str, Any]:
    data = {key: base64.b64encode(value).decode() for key, value in CONTENTS[name].items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": _metadata(name, namespace), "data": data}


def _service(name: str, namespace: str) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80}]
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(name, namespace), "spec": {"ports": ports}}


def _replicas(name: str, namespace: str, port: int) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": _metadata(name, namespace, labels={"kubernetes.io/service-name": name}),
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"]}],
        "ports": [{"name": name_of_port, "port": port} for name_of_port in ("", "http")],
    }
