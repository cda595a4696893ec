"""Whatever the API server takes of generated objects of every kind: the witness answers, and nothing is refused."""

import itertools
import os
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from fuzz.strategies import MUTATIONS, PROXIES, objects_of
from fuzz.world import NAMESPACES, WITNESS, base
from isoline.objects import App, to_dict
from isoline.objects.crds import crd_documents
from kubernetes.load import PORT, Load, app
from kubernetes.planes import CONTOUR_CRDS, Edge, defined, listening_at, options_for, proxy, running
from kubernetes.rig import Api, ApiError, Object, Rig

EXAMPLES = int(os.environ.get("ISOLINE_FUZZED_OBJECTS", "300"))
APPS = objects_of(App, "isoline.dev/v1alpha1", ("one", "two"))


def generated(count: int) -> list[Object]:
    """That many objects, the same ones each time."""
    found: list[Object] = []

    @seed(1)
    @settings(
        # Each example has about two of them.
        max_examples=count // 2 + 10,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(PROXIES, MUTATIONS, APPS)
    def collect(one: Object, others: list[tuple[Object, bool]], made: Object) -> None:
        found.extend([one, *(each for each, _ in others)])
        if len(found) % 5 == 0:
            found.append(made)

    collect()
    return found[:count]


def world(address: str) -> list[Object]:
    """What is there before: the witness, and Services that lead to an address."""
    found = []
    for item in base(PORT):
        manifest = to_dict(item)
        if manifest["kind"] == "EndpointSlice":
            manifest["endpoints"] = [{"addresses": [address]}]
        manifest["metadata"].pop("creationTimestamp", None)
        if manifest["kind"] != "GatewayConfig":
            found.append(manifest)
    return found


async def test_generated_objects_harm_nobody(tmp_path: Path) -> None:
    ours = {each["spec"]["names"]["kind"]: each for each in crd_documents()}
    with Rig(tmp_path / "rig") as rig, rig.inside():
        async with Api(rig) as api:
            await api.apply_files(CONTOUR_CRDS)
            for name in NAMESPACES:
                await api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            upstream, address = rig.namespace.new_address(), rig.namespace.new_address()
            options = options_for(rig, "", namespaces=(), adjust=listening_at(address))
            async with (
                defined(api, ours["App"]),
                defined(api, ours["TrafficPolicy"]),
                app(api, "witness", upstream),
            ):
                await api.apply_all(world(upstream))
                async with running(options) as plane, Edge(rig, tmp_path, options, address=address) as edge:
                    await edge.until_body(WITNESS, "here")
                    async with Load(address, WITNESS, body="here") as load:
                        taken = await feed(api, generated(EXAMPLES))
                        await api.apply(proxy("mark", "witness", "all has come"))
                        await edge.until_body("mark.example", "all has come")
                        await load.more()
                    await plane.source.statuses.idle()
                    assert (plane.source.statuses.failed, plane.server.stats.nacks) == (0, 0)
                    assert [each for each in await judged(api) if "InternalError" in str(each["status"])] == []
    # The API server knows only the schema: there is plenty left that is wrong.
    assert taken > EXAMPLES / 4


async def feed(api: Api, objects: list[Object]) -> int:
    """Apply them one after the other, and now and then take one away. Returns how many were taken."""
    taken: list[Any] = []
    for each, number in zip(objects, itertools.count(1), strict=False):
        try:
            await api.apply(each)
        except ApiError:
            continue
        taken.append(each)
        if number % 7 == 0:
            metadata = each["metadata"]
            await api.delete(each["kind"], metadata["name"], namespace=metadata["namespace"])
    return len(taken)


async def judged(api: Api) -> list[Object]:
    """What has a status."""
    kinds = ("HTTPProxy", "ExtensionService", "TrafficPolicy", "App")
    return [each for kind in kinds for each in await api.list_all(kind) if "status" in each]
