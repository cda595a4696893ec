"""Several control planes: all serve the same, one writes, and another takes over when that one dies."""

import asyncio
import random
import sys
from pathlib import Path
from typing import Any

from isoline.cli.control_plane import ControlPlane
from isoline.cluster.kubernetes.leases import LeaseSettings
from isoline.objects import Key
from kubernetes.planes import new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Rig

ISOLINE = Path(sys.executable).parent / "isoline"
QUICK = {"duration": 2.0, "renew_deadline": 1.5, "retry": 0.2}


def judged(item: dict[str, Any]) -> bool:
    return bool(item.get("status", {}).get("conditions"))


def lease(namespace: str) -> LeaseSettings:
    return LeaseSettings(namespace=namespace, **QUICK)  # type: ignore[arg-type]


def served(plane: ControlPlane) -> dict[object, str]:
    return {name: found.version for name in plane.cache.all_names() if (found := plane.cache.get(name)) is not None}


async def until_led_by(api: Api, namespace: str, holder: str) -> None:
    await api.wait(
        "Lease", "isoline-leader", lambda item: item["spec"].get("holderIdentity") == holder, namespace=namespace
    )


async def test_replicas_serve_the_same_versions_whatever_the_order_in_which_they_heard(rig: Rig, api: Api) -> None:
    namespace = await new_namespace(api)
    # Made within one second, so that age cannot tell which of them keeps its host.
    contested = [proxy(f"c{number}", namespace, virtualhost={"fqdn": "same.example"}) for number in range(4)]
    others = [proxy(f"o{number}", namespace) for number in range(10)]
    await api.apply_all(random.sample(contested + others, 14))
    async with running(options_for(rig, namespace)) as first:
        await api.apply_all([proxy(f"o{number}", namespace, "changed") for number in range(5)])
        await api.apply(proxy("late", namespace))
        key = Key("HTTPProxy", namespace, "late")
        async with asyncio.timeout(10):
            while first.store.get(key) is None:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
        async with running(options_for(rig, namespace)) as second:
            assert len(served(first)) > 11
            assert served(first) == served(second)


async def test_only_the_leader_writes_and_another_follows_when_it_goes(rig: Rig, api: Api) -> None:
    namespace = await new_namespace(api)
    first = options_for(rig, namespace, lease=lease(namespace))
    second = options_for(rig, namespace, lease=lease(namespace))
    async with running(first) as leader:
        await until_led_by(api, namespace, first.identity)
        async with running(second) as follower:
            await api.apply(proxy("a", namespace))
            await api.wait("HTTPProxy", "a", judged, namespace=namespace)
            assert (leader.source.leading, follower.source.leading) == (True, False)
            assert follower.source.statuses.written == 0
            leader.stop.set()
    # It gave the lease up, but nobody was there to take it.
    async with running(second):
        await until_led_by(api, namespace, second.identity)
        await api.apply(proxy("b", namespace))
        await api.wait("HTTPProxy", "b", judged, namespace=namespace)


async def test_a_leader_that_is_killed_is_followed_within_its_lease_and_no_change_is_lost(rig: Rig, api: Api) -> None:
    namespace = await new_namespace(api)
    address = rig.namespace.new_address()
    rig.spawn(
        "doomed",
        [
            *(ISOLINE, "control-plane", "--kubeconfig", rig.kubeconfig, "--watch-namespaces", namespace),
            *("--xds-address", address, "--insecure", "--metrics-address", f"{address}:8000"),
            *("--leader-election-resource-namespace", namespace, "--leader-election-lease-duration", "2s"),
            *("--leader-election-renew-deadline", "1.5s", "--leader-election-retry-period", "200ms"),
        ],
    )
    await api.wait(
        "Lease", "isoline-leader", lambda item: bool(item["spec"].get("holderIdentity")), namespace=namespace
    )
    options = options_for(rig, namespace, lease=lease(namespace))
    async with running(options) as heir:
        await api.apply(proxy("before", namespace))
        await api.wait("HTTPProxy", "before", judged, namespace=namespace)
        assert not heir.source.leading
        rig.stop("doomed", kill=True)
        await api.apply(proxy("meanwhile", namespace))
        await until_led_by(api, namespace, options.identity)
        await api.wait("HTTPProxy", "meanwhile", judged, namespace=namespace)
        # The write is counted when its answer is there, which the status itself may come before.
        for _ in range(100):
            if heir.source.statuses.written:
                break
            await asyncio.sleep(0.1)
        # What was right already is not written again.
        assert heir.source.statuses.written == 1
