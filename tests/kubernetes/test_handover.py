"""Contour leads by a Lease, and Isoline stands for the same one: it serves at once, and writes when Contour goes."""

from datetime import UTC, datetime
from pathlib import Path

from isoline.cluster.kubernetes.leases import LeaseSettings
from kubernetes.planes import Edge, listening_at, new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Rig
from kubernetes.test_replicas import judged

CONTOURS = "contour-5d9c_1f7a7b7e"


def lease(namespace: str, holder: str) -> dict[str, object]:
    """As client-go writes it: an empty holder is one who gave it up."""
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 60 if holder else 1, "acquireTime": now, "renewTime": now}
    metadata = {"name": "leader-elect", "namespace": namespace}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


async def test_beside_contour_it_serves_and_writes_nothing_until_contour_has_given_its_lease_up(
    rig: Rig, api: Api, tmp_path: Path
) -> None:
    namespace = await new_namespace(api)
    await api.apply(lease(namespace, CONTOURS))
    await api.apply(proxy("shop", namespace))
    address = rig.namespace.new_address()
    theirs = LeaseSettings(namespace=namespace, name="leader-elect", retry=0.2)
    options = options_for(rig, namespace, lease=theirs, adjust=listening_at(address))
    async with running(options) as plane, Edge(rig, tmp_path, options, address=address) as edge:
        await edge.until_body("shop.example", "hello")
        await api.apply(proxy("shop", namespace, "changed"))
        await edge.until_body("shop.example", "changed")
        assert (plane.source.leading, plane.source.statuses.written) == (False, 0)
        await api.apply(lease(namespace, ""))
        found = await api.wait("HTTPProxy", "shop", judged, namespace=namespace)
        assert found["status"]["currentStatus"] == "valid"
        plane.stop.set()
    # It gives it up in its turn, and Contour may have it back at once.
    given_up = await api.get("Lease", "leader-elect", namespace=namespace)
    assert not given_up["spec"].get("holderIdentity")
