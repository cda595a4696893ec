"""Whose object it is, by class, and whose certificate it may use."""

from pathlib import Path

import httpx
import pytest

from isoline.objects import Key
from unit.xds.serving import serving

PROXY = """
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {{name: web, annotations: {{{annotations}}}}}
spec:
  {field}
  virtualhost: {{fqdn: a.example.com}}
  routes: [{{directResponsePolicy: {{statusCode: 200, body: proxy}}}}]
"""
INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web, annotations: {{{annotations}}}}}
spec:
  {field}
  rules:
  - host: a.example.com
    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: gone, port: {{number: 80}}}}}}}}]}}
"""
URL = "http://a.example.com/"


@pytest.mark.parametrize(
    ("kind", "manifest", "status"), [("HTTPProxy", PROXY, 200), ("Ingress", INGRESS, 503)], ids=["proxy", "ingress"]
)
async def test_an_object_of_another_class_is_not_served_and_has_no_status_of_ours(
    tmp_path: Path, kind: str, manifest: str, status: int
) -> None:
    key = Key(kind, "default", "web")
    async with serving(tmp_path, manifest.format(annotations="", field="")) as served:
        await served.answers(URL, status)
        assert served.gateway.statuses[key] is not None
        for annotations, field, found in [
            ("", "ingressClassName: other", 404),
            ("", "ingressClassName: contour", status),
            ("kubernetes.io/ingress.class: other", "ingressClassName: contour", 404),
            ("projectcontour.io/ingress.class: contour, kubernetes.io/ingress.class: other", "", status),
            ("projectcontour.io/ingress.class: other, kubernetes.io/ingress.class: contour", "", 404),
            ("projectcontour.io/ingress.class: '', kubernetes.io/ingress.class: ''", "", status),
        ]:
            served.apply(manifest.format(annotations=annotations, field=field))
            await served.answers(URL, found)
            assert (served.gateway.statuses[key] is None) == (found == 404)


BORROWER = """
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: web}
spec:
  virtualhost: {fqdn: a.example.com, tls: {secretName: lender/tls}}
  routes: [{directResponsePolicy: {statusCode: 200, body: proxy}}]
---
apiVersion: v1
kind: Secret
metadata: {name: tls, namespace: lender}
type: kubernetes.io/tls
data: {tls.crt: CERTIFICATE, tls.key: KEY}
"""
DELEGATION = """
apiVersion: projectcontour.io/v1
kind: TLSCertificateDelegation
metadata: {name: lent, namespace: lender}
spec: {delegations: [{secretName: %s, targetNamespaces: [%s]}]}
"""


@pytest.mark.parametrize(
    ("before", "delegation"),
    [
        ("", DELEGATION % ("tls", "default")),
        (DELEGATION % ("tls", "elsewhere"), DELEGATION % ("tls", "elsewhere, '*'")),
        (DELEGATION % ("other", "default"), DELEGATION % ("tls", "'*'")),
    ],
    ids=["by name", "by a star among others", "of another secret"],
)
async def test_a_certificate_is_served_to_whom_it_is_lent(tmp_path: Path, before: str, delegation: str) -> None:
    witness = PROXY.format(annotations="", field="").replace("web", "witness").replace("a.example", "b.example")
    async with serving(tmp_path, "---\n".join([BORROWER, witness, before])) as served:
        await served.answers("http://b.example.com/")
        status = served.gateway.statuses[Key("HTTPProxy", "default", "web")]
        assert status is not None
        assert [error.reason for error in status.errors] == ["DelegationNotPermitted"]
        with pytest.raises(httpx.TransportError):
            await served.get("https://a.example.com/")
        served.apply(delegation)
        await served.answers("https://a.example.com/")
