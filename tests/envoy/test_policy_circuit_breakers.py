"""Limits of what is asked of upstreams at once: annotations of a Service, and circuitBreakerPolicy."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from unit.xds.serving import Replica, Served, guarded, replica, replicas, serving

Manifests = Callable[..., str]

HOST = "http://a.example.com"


def annotated(ports: list[int], **limits: int) -> str:
    """A host whose Service has these limits."""
    annotations = "".join(f"projectcontour.io/{name.replace('_', '-')}: '{limit}', " for name, limit in limits.items())
    return f"""
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {{name: web}}
spec:
  virtualhost: {{fqdn: a.example.com}}
  routes: [{{services: [{{name: app, port: 80}}], retryPolicy: {{count: 1}}, timeoutPolicy: {{response: infinity}}}}]
---
apiVersion: v1
kind: Service
metadata: {{name: app, annotations: {{{annotations}}}}}
spec: {{ports: [{{port: 80}}]}}
""" + "".join("---" + replica("app", port) for port in ports)


def asked(ports: list[int], **limits: int) -> str:
    """A host whose requests somebody is asked about, at most so many at once; what passes is answered with 204."""
    policy = ", ".join(f"{camel(name)}: {limit}" for name, limit in limits.items())
    guard = guarded(f"circuitBreakerPolicy: {{{policy}}}", patience="infinity")
    return f"""{guard}---
apiVersion: v1
kind: Service
metadata: {{name: app}}
spec: {{ports: [{{port: 80}}]}}
""" + "".join("---" + replica("app", port) for port in ports)


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


BOTH = pytest.mark.parametrize(("manifests", "good", "full"), [(annotated, 200, 503), (asked, 204, 403)])


async def working(served: Served, apps: list[Replica], count: int) -> None:
    """Waits until that many requests are worked on."""

    async def check() -> bool:
        return sum(app.working for app in apps) == count

    await served.eventually(check)


def hold(served: Served) -> asyncio.Task[httpx.Response]:
    """A request that is answered when its replica is let go."""
    return asyncio.create_task(served.get(f"{HOST}/hold"))


@BOTH
async def test_no_more_requests_at_once(tmp_path: Path, manifests: Manifests, good: int, full: int) -> None:
    async with replicas("app") as apps, serving(tmp_path, manifests([apps[0].port], max_requests=1)) as served:
        await served.answers(f"{HOST}/", good)
        first = hold(served)
        await working(served, apps, 1)
        assert (await served.get(f"{HOST}/")).status_code == full
        apps[0].go_on.set()
        assert (await first).status_code == good
        await served.answers(f"{HOST}/", good)


@BOTH
async def test_no_more_connections_and_nobody_waits_beyond_the_limit(
    tmp_path: Path, manifests: Manifests, good: int, full: int
) -> None:
    limits = {"max_connections": 1, "max_pending_requests": 1}
    async with replicas("app") as apps, serving(tmp_path, manifests([apps[0].port], **limits)) as served:
        await served.answers(f"{HOST}/", good)
        first = hold(served)
        await working(served, apps, 1)
        second = hold(served)
        await served.counted("upstream_rq_pending_active", 1)
        assert (await served.get(f"{HOST}/")).status_code == full
        assert apps[0].working == 1
        apps[0].go_on.set()
        assert [(await each).status_code for each in (first, second)] == [good, good]


@BOTH
async def test_no_more_connections_to_one_replica(tmp_path: Path, manifests: Manifests, good: int, full: int) -> None:
    async with (
        replicas("one", "two") as apps,
        serving(tmp_path, manifests([app.port for app in apps], per_host_max_connections=1)) as served,
    ):
        await served.answers(f"{HOST}/", good)
        held = [hold(served) for _ in range(3)]
        await working(served, apps, 2)
        await served.counted("upstream_rq_pending_active", 1)
        assert [app.working for app in apps] == [1, 1]
        for app in apps:
            app.go_on.set()
        assert [(await each).status_code for each in held] == [good] * 3


async def test_no_more_retries_at_once(tmp_path: Path) -> None:
    async with replicas("app") as apps, serving(tmp_path, annotated([apps[0].port], max_retries=1)) as served:
        await served.answers(f"{HOST}/")
        first = asyncio.create_task(served.get(f"{HOST}/twice/a"))

        async def is_tried_again() -> bool:
            return apps[0].seen["/twice/a"] == 2

        await served.eventually(is_tried_again)
        assert (await served.get(f"{HOST}/twice/b")).status_code == 503
        assert apps[0].seen["/twice/b"] == 1
        apps[0].go_on.set()
        assert (await first).status_code == 200
        assert (await served.get(f"{HOST}/twice/c")).status_code == 200
