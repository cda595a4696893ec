"""Ingresses through the compiler and a real Envoy: paths by segment, redirects to https, and an HTTPProxy beside."""

from isoline.routing import ir
from isoline.routing.compiler import compile_site
from isoline.routing.settings import Settings
from isoline.routing.view import View
from unit.routing.support import objects, store_of
from unit.xds.apps import App
from unit.xds.edge import Edge
from unit.xds.support import certificate

HOST = "a.example.com"
WORLD = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  tls: [{hosts: [a.example.com], secretName: tls}]
  rules:
  - host: a.example.com
    http:
      paths:
      - {path: /seg, pathType: Prefix, backend: {service: {name: app, port: {name: web}}}}
      - {path: /seg/gone, pathType: Prefix, backend: {service: {name: gone, port: {number: 80}}}}
      - {path: /exact, pathType: Exact, backend: {service: {name: app, port: {number: 80}}}}
      - {path: "/v[0-9]+", pathType: ImplementationSpecific, backend: {service: {name: app, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: forced, annotations: {ingress.kubernetes.io/force-ssl-redirect: "true"}}
spec:
  rules:
  - host: a.example.com
    http: {paths: [{path: /forced, pathType: Prefix, backend: {service: {name: app, port: {number: 80}}}}]}
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: proxy}
spec:
  virtualhost: {fqdn: a.example.com}
  routes: [{conditions: [{exact: /exact}], directResponsePolicy: {statusCode: 200, body: proxy}}]
---
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {ports: [{port: 80, name: web}]}
---
apiVersion: v1
kind: Secret
metadata: {name: tls}
type: kubernetes.io/tls
data: {tls.crt: CERTIFICATE, tls.key: KEY}
"""


async def test_an_ingress_is_served_as_its_users_know_it(edge: Edge, app: App) -> None:
    compiled = compile_site(HOST, View(store_of(*objects(WORLD)), Settings()))
    assert compiled.site is not None
    replica = ir.Endpoint(address="127.0.0.1", port=app.port)
    edge.world.put_certificate(certificate("default/tls", HOST), [HOST])
    edge.world.put_endpoints(ir.Endpoints(name="default/app/web", endpoints=(replica,)))
    edge.world.put(compiled.site)

    async def status(path: str, scheme: str = "http") -> int:
        return (await edge.get(f"{scheme}://{HOST}{path}")).status_code

    await edge.answers(f"http://{HOST}/seg")
    await edge.answers(f"https://{HOST}/seg")
    for path, wanted in {"/seg/x": 200, "/segment": 404, "/seg/gone/x": 503, "/v12": 200, "/v12/x": 404}.items():
        assert await status(path) == wanted, path
        assert await status(path, "https") == wanted, path
    await edge.answers(f"http://{HOST}/exact", text="proxy")
    assert (await edge.get(f"https://{HOST}/exact")).text != "proxy"
    forced = await edge.get(f"http://{HOST}/forced")
    assert (forced.status_code, forced.headers["location"].startswith("https://")) == (301, True)
    assert await status("/forced", "https") == 200
    assert not edge.rejected
