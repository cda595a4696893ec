"""Sites of which a part is guarded, each in another way: below /admin nobody comes in, everything else is open."""

import base64
import textwrap
from typing import Any

import yaml

from fuzz.world import CONTENTS
from isoline.objects import Object, decode_object

OPEN = "open.test"
BY_ADDRESS = "address.test"
BY_TOKEN = "token.test"
BY_SERVER = "server.test"
BY_CERTIFICATE = "certificate.test"
ONLY_HTTPS = "https.test"
GUARDED = (BY_ADDRESS, BY_TOKEN, BY_SERVER)
WILD = "any.wild.test"

_ROOT = """
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {{name: {name}, namespace: default}}
spec:
  virtualhost: {{fqdn: "{host}", tls: {{secretName: tls{tls}}}{more}}}
  routes:
  - {{conditions: [{{prefix: /admin}}], services: [{{name: app, port: 80}}], permitInsecure: true,
      enableWebsockets: true{closed}}}
  - {{conditions: [{{prefix: /}}], services: [{{name: app, port: 80}}], permitInsecure: {plain},
      enableWebsockets: true}}
"""
_SERVER = """
apiVersion: projectcontour.io/v1alpha1
kind: ExtensionService
metadata: {name: refuses, namespace: default}
spec: {services: [{name: nobody, port: 80}], protocol: h2c}
---
apiVersion: v1
kind: Service
metadata: {name: nobody, namespace: default}
spec: {ports: [{port: 80}]}
---
apiVersion: isoline.dev/v1alpha1
kind: GatewayConfig
metadata: {name: default}
spec:
  listeners: {http: {address: 127.0.0.1}, https: {address: 127.0.0.1}}
  timeouts: {requestHeaders: 1s, request: 2s, streamIdle: 2s, delayedClose: 20ms}
"""


def _root(host: str, *, name: str = "", **parts: str) -> dict[str, Any]:
    text = {"tls": "", "more": "", "closed": "", "plain": "true", **parts}
    found: dict[str, Any] = yaml.safe_load(_ROOT.format(name=name or host.partition(".")[0], host=host, **text))
    return found


def _nobody_there(port: int) -> list[dict[str, Any]]:
    data = {name: {key: base64.b64encode(value).decode() for key, value in CONTENTS[name].items()} for name in CONTENTS}
    secrets = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "default"}, "data": data[name]}
        for name in ("tls", "ca", "jwks")
    ]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "app", "namespace": "default"},
        "spec": {"ports": [{"port": 80}]},
    }
    replicas = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "app", "namespace": "default", "labels": {"kubernetes.io/service-name": "app"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"]}],
        "ports": [{"port": port}],
    }
    return [*secrets, service, replicas]


def objects(port: int) -> list[Object]:
    """All of it, with the app at this port."""
    everybody = "ipDenyPolicy: [{source: Peer, cidr: 0.0.0.0/0}, {source: Peer, cidr: '::/0'}]"
    tokens = ", jwtProviders: [{name: p, localJWKS: {secretName: jwks, key: jwks.json}}]"
    asked = ", authorization: {extensionRef: {name: refuses}, authPolicy: {disabled: true}}"
    roots = [
        _root(OPEN),
        _root(BY_ADDRESS, closed=f", {everybody}"),
        _root(BY_TOKEN, more=tokens, closed=", jwtVerificationPolicy: {require: p}"),
        _root(BY_SERVER, more=asked, closed=", authPolicy: {disabled: false}"),
        _root(BY_CERTIFICATE, tls=", clientValidation: {caSecret: ca}", plain="false"),
        _root(ONLY_HTTPS, plain="false"),
        _root("*.wild.test", name="wild", closed=f", {everybody}"),
    ]
    return [
        decode_object(each) for each in [*roots, *yaml.safe_load_all(textwrap.dedent(_SERVER)), *_nobody_there(port)]
    ]
