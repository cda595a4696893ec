"""healthPort: health is asked about at another port of the Service than requests go to."""

from pathlib import Path

import pytest

from unit.xds import apps
from unit.xds.edge import free_port
from unit.xds.serving import replica, replicas, serving

MANIFESTS = """
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {ports: [{name: web, port: 80}, {name: health, port: 81}]}
---
apiVersion: v1
kind: Secret
metadata: {name: tls}
type: kubernetes.io/tls
data: {tls.crt: CERTIFICATE, tls.key: KEY}
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: web}
"""
REQUESTS = """
spec:
  virtualhost: {fqdn: a.example.com, tls: {secretName: tls}}
  routes:
  - services: [{name: app, port: 80, healthPort: 81}]
    healthCheckPolicy: {path: /healthz, intervalSeconds: 1, unhealthyThresholdCount: 1}
"""
CONNECTIONS = """
spec:
  virtualhost: {fqdn: a.example.com, tls: {secretName: tls}}
  tcpproxy:
    services: [{name: app, port: 80, healthPort: 81}]
    healthCheckPolicy: {intervalSeconds: 1, unhealthyThresholdCount: 1}
"""
URL = "https://a.example.com/"


@pytest.mark.parametrize("spec", [REQUESTS, CONNECTIONS], ids=["routes", "tunnel"])
async def test_a_replica_that_is_sick_at_its_health_port_gets_nothing(tmp_path: Path, spec: str) -> None:
    async with replicas("well", "poorly") as served_by:
        good, runner = await apps.start("good")
        sick = free_port()  # nobody answers there
        slices = "".join(
            "---" + replica("app", app.port, health, names=("web", "health"))
            for app, health in zip(served_by, (good.port, sick), strict=True)
        )
        async with serving(tmp_path, MANIFESTS + spec + slices) as served:
            await served.answers(URL)
            await served.counted("health_check.healthy", 1)
            await served.counted("membership_total", 2)
            assert set(await served.texts(URL, 6)) == {"well"}
            # Asked at the port of its requests the other one would be well.
            assert [app.seen["/healthz"] for app in served_by] == [0, 0]
        await runner.cleanup()
