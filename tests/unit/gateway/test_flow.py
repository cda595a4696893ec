"""The flow keeps a cache true to a store: nothing before the whole, nothing left over, refusals told to owners."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from isoline.cluster.store import Store
from isoline.gateway.flow import Flow, Statuses
from isoline.gateway.kept_certificates import KeptCertificates
from isoline.gateway.renderer import Batch
from isoline.gateway.snapshot import Snapshot
from isoline.objects import Key, Object, decode_object
from isoline.routing.certificates import end_of
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import INDEXES
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import settings_from_config
from isoline.routing.statuses import ProxyStatus
from isoline.xds import types
from isoline.xds.cache import Cache
from isoline.xds.resources import Name, resource
from unit.routing.support import secret, self_signed, service

STALE = Name(types.ROUTES, "http/gone.example")


def proxy(name: str, body: str = "hello") -> Object:
    manifest: dict[str, Any] = {
        "apiVersion": "projectcontour.io/v1",
        "kind": "HTTPProxy",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "virtualhost": {"fqdn": f"{name}.example"},
            "routes": [{"directResponsePolicy": {"statusCode": 200, "body": body}}],
        },
    }
    return decode_object(manifest)


def routes_of(name: str) -> Name:
    return Name(types.ROUTES, f"http/{name}.example")


class World:
    def __init__(
        self,
        snapshot: Snapshot | None = None,
        *,
        retained_changes: int = 100,
        certificates: KeptCertificates | None = None,
    ) -> None:
        self.store = Store(INDEXES, retained_changes=retained_changes)
        self.cache = Cache()
        self.statuses: dict[Key, ProxyStatus | None] = {}
        self.refusals: list[tuple[tuple[Key, ...], str]] = []
        self.of_gateway: list[str] = []
        self.https_port = 8443
        self.now = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
        scheduler = Scheduler(
            self.store,
            settings_of=lambda config: settings_from_config(config, one_machine=True),
            gateway_of=lambda config: gateway_from_config(config, http_port=8080, https_port=self.https_port),
            clock=lambda: self.now.timestamp(),
        )
        self.flow = Flow(
            self.store,
            self.cache,
            scheduler,
            on_statuses=self._write,
            on_refused=self._refuse,
            snapshot=snapshot,
            certificates=certificates,
            on_gateway=self.of_gateway.append,
        )

    def _refuse(self, owners: Sequence[Key], message: str) -> None:
        self.refusals.append((tuple(owners), message))

    def _write(self, statuses: Statuses) -> None:
        self.statuses.update(statuses)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.flow.run())
        await self.flow.caught_up.wait()
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def body(self, name: str) -> bytes:
        found = self.cache.get(routes_of(name))
        return b"" if found is None else found.body


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - there is no event for what the test looks at
            await asyncio.sleep(0)


async def test_nothing_is_ready_before_everything_is_compiled() -> None:
    world = World()
    world.store.apply([proxy("a"), proxy("b")])
    before = world.cache.ready
    async with world.running():
        assert (before, world.cache.ready) == (False, True)
        assert world.body("a")
        assert world.body("b")


async def test_a_change_reaches_the_cache_and_what_is_deleted_leaves_it() -> None:
    world = World()
    world.store.apply([proxy("a", "one")])
    async with world.running():
        world.store.apply([proxy("a", "two")])
        await until(lambda: b"two" in world.body("a"))
        world.store.apply([], [proxy("a").key])
        await until(lambda: world.cache.get(routes_of("a")) is None)


async def test_more_changes_at_once_than_the_feed_holds_are_found_all_the_same() -> None:
    world = World(retained_changes=2)
    world.store.apply([proxy("gone")])
    async with world.running():
        world.store.apply([proxy(f"site{number}") for number in range(10)], [proxy("gone").key])
        await until(lambda: all(world.body(f"site{number}") for number in range(10)))
        await until(lambda: world.cache.get(routes_of("gone")) is None)


async def test_a_kept_snapshot_is_served_until_the_present_is_known_and_then_leaves_nothing(tmp_path: Path) -> None:
    kept = Snapshot(tmp_path / "snapshot.sqlite3")
    kept.keep(Batch([resource(*STALE, b"old")], []))
    await kept.flush()
    world = World(Snapshot(tmp_path / "snapshot.sqlite3"))
    world.store.apply([proxy("a")])
    assert world.flow.restore()
    assert (world.cache.restored, world.cache.ready) == (True, False)
    assert world.cache.get(STALE) is not None
    async with world.running():
        assert (world.cache.restored, world.cache.ready) == (False, True)
        assert world.cache.get(STALE) is None
        assert world.body("a")


async def test_without_a_snapshot_nothing_is_served_early(tmp_path: Path) -> None:
    world = World(Snapshot(tmp_path / "snapshot.sqlite3"))
    assert not world.flow.restore()
    assert not world.cache.restored
    assert not world.cache.ready


async def test_what_is_served_is_what_the_next_start_restores(tmp_path: Path) -> None:
    snapshot = Snapshot(tmp_path / "snapshot.sqlite3")
    world = World(snapshot)
    world.store.apply([proxy("a", "one"), proxy("b")])
    async with world.running():
        world.store.apply([proxy("a", "two")], [proxy("b").key])
        await until(lambda: b"two" in world.body("a") and not world.body("b"))
    await snapshot.flush()
    assert {each.name for each in Snapshot(tmp_path / "snapshot.sqlite3").load()} == world.cache.all_names()


def rejected(world: World, name: Name, message: str) -> None:
    """What the server does when an Envoy refuses a resource."""
    present = world.cache.get(name)
    assert present is not None
    assert world.cache.reject(present, message, None)
    world.flow.refused(name, message)


def errors_of(world: World, name: str) -> list[tuple[str, str, str]]:
    status = world.statuses[proxy(name).key]
    assert status is not None
    return [(error.type, error.reason, error.message) for error in status.errors]


async def test_a_refused_resource_is_told_to_its_owner_in_envoys_words_until_it_is_mended() -> None:
    world = World()
    world.store.apply([proxy("a", "bad"), proxy("b")])
    async with world.running():
        await until(lambda: proxy("a").key in world.statuses)
        rejected(world, routes_of("a"), "Envoy does not like this")
        assert errors_of(world, "a") == [("RouteError", "RejectedByEnvoy", "the routes: Envoy does not like this")]
        assert errors_of(world, "b") == []
        world.store.apply([proxy("a", "good")])
        await until(lambda: not errors_of(world, "a"))


async def test_a_certificate_stays_in_the_cache_without_its_secret_until_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("isoline.gateway.flow.LONGEST_WAIT", 0.01)
    world = World()
    world.store.apply([forwarding("a", secret="tls"), service("app"), secret()])
    served = Name(types.SECRET, "a.example")
    async with world.running():
        world.store.apply([], [secret().key])
        await until(lambda: bool((status := world.statuses[proxy("a").key]) and status.warnings))
        assert world.cache.get(served) is not None
        assert world.flow.kept_certificates == {"default/tls": end_of(secret()).timestamp()}
        world.now = dt.datetime(2126, 1, 2, tzinfo=dt.UTC)
        while world.cache.get(served) is not None:  # noqa: ASYNC110 - there is no event for what the test looks at
            await asyncio.sleep(0.01)
        assert [reason for _, reason, _ in errors_of(world, "a")] == ["SecretNotValid"]


async def test_a_certificate_that_ends_is_told_then_though_nothing_changes() -> None:
    world = World()
    short = self_signed(days=2)
    world.store.apply([forwarding("a", secret="tls"), service("app"), secret(contents=short)])
    world.now = dt.datetime(2026, 1, 2, 23, 59, 59, 990_000, tzinfo=dt.UTC)
    async with world.running():
        await until(lambda: world.statuses.get(proxy("a").key) == ProxyStatus())
        world.now = dt.datetime(2026, 1, 3, tzinfo=dt.UTC)
        await until(lambda: world.statuses[proxy("a").key] != ProxyStatus())
        status = world.statuses[proxy("a").key]
        assert status is not None
        (warning,) = status.warnings
        assert "ended on 2026-01-03" in warning.message


async def test_a_refusal_in_the_same_words_is_told_to_every_owner_again() -> None:
    world = World()
    world.store.apply([proxy("a", "bad")])
    async with world.running():
        await until(lambda: proxy("a").key in world.statuses)
        for _ in range(2):
            world.flow.refused(routes_of("a"), "no")
        assert world.refusals == [((proxy("a").key,), "no")] * 2


async def test_a_route_that_went_out_before_its_service_was_ready_is_a_warning_until_it_is() -> None:
    world = World()
    world.store.apply([forwarding("a"), service("app"), proxy("b")])
    async with world.running():
        (endpoints,) = world.cache.names(types.ENDPOINTS)
        world.flow.late(routes_of("a"), [Name(types.ENDPOINTS, endpoints)])
        status = world.statuses[proxy("a").key]
        assert status is not None
        (warning,) = status.warnings
        assert (status.current_status, warning.type, warning.reason) == ("valid", "ServiceError", "NotReady")
        assert "default/app" in warning.message
        assert world.statuses[proxy("b").key] == ProxyStatus()
        world.store.apply([ready("app")])
        await until(lambda: world.statuses[proxy("a").key] == ProxyStatus())


def ready(name: str) -> Object:
    """An EndpointSlice with one replica."""
    return decode_object(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": name, "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["192.0.2.1"]}],
            "ports": [{"port": 80}],
        }
    )


def forwarding(name: str, *, to: str = "app", path: str = "/", secret: str = "") -> Object:
    host: dict[str, Any] = {"fqdn": f"{name}.example"}
    if secret:
        host["tls"] = {"secretName": secret}
    return decode_object(
        {
            "apiVersion": "projectcontour.io/v1",
            "kind": "HTTPProxy",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "virtualhost": host,
                "routes": [{"conditions": [{"prefix": path}], "services": [{"name": to, "port": 80}]}],
            },
        }
    )


async def test_a_refused_certificate_is_forgiven_when_the_secret_is_another_one() -> None:
    world = World()
    world.store.apply([forwarding("a", secret="tls"), service("app"), secret()])
    async with world.running():
        rejected(world, Name(types.SECRET, "a.example"), "cannot load it")
        assert errors_of(world, "a") == [("TLSError", "RejectedByEnvoy", "the certificate: cannot load it")]
        world.store.apply([secret(contents=self_signed())])
        await until(lambda: not errors_of(world, "a"))


async def test_a_refused_cluster_is_the_matter_of_who_uses_it_for_as_long_as_he_does() -> None:
    world = World()
    world.store.apply([forwarding("a"), service("app"), service("other")])
    async with world.running():
        (cluster,) = world.cache.names(types.CLUSTER)
        rejected(world, Name(types.CLUSTER, cluster), "no such thing")
        refusal = [("ServiceError", "RejectedByEnvoy", "the upstream default/app/80: no such thing")]
        assert errors_of(world, "a") == refusal
        # Another route to the same cluster mends nothing, and whoever joins it is told, too.
        world.store.apply([forwarding("a", path="/else"), forwarding("b")])
        await until(lambda: proxy("b").key in world.statuses)
        assert (errors_of(world, "a"), errors_of(world, "b")) == (refusal, refusal)
        world.store.apply([forwarding("a", to="other")])
        await until(lambda: not errors_of(world, "a"))
        assert errors_of(world, "b") == refusal


async def test_refused_endpoints_are_told_to_who_forwards_to_them() -> None:
    world = World()
    world.store.apply([forwarding("a"), service("app"), forwarding("b", to="other"), service("other")])
    async with world.running():
        name = next(each for each in world.cache.names(types.ENDPOINTS) if "/app" in each)
        rejected(world, Name(types.ENDPOINTS, name), "malformed address")
        assert errors_of(world, "a") == [
            ("ServiceError", "RejectedByEnvoy", "the upstream default/app/80: malformed address")
        ]
        assert errors_of(world, "b") == []


async def test_a_refused_listener_is_nobodys_matter_but_the_gateways_until_it_is_another_one() -> None:
    world = World()
    world.store.apply([proxy("a")])
    config = {
        "apiVersion": "isoline.dev/v1alpha1",
        "kind": "GatewayConfig",
        "metadata": {"name": "default"},
        "spec": {"timeouts": {"request": "7s"}},
    }
    async with world.running():
        rejected(world, Name(types.LISTENER, "http"), "cannot bind")
        assert world.refusals == [((), "cannot bind")]
        assert errors_of(world, "a") == []
        assert world.of_gateway == ["the listener http: cannot bind"]
        world.store.apply([decode_object(config)])
        await until(lambda: world.of_gateway == ["the listener http: cannot bind", ""])


async def test_a_gateway_that_changes_how_sites_are_rendered_has_all_of_them_rendered_again() -> None:
    world = World()
    manifest: dict[str, Any] = {
        "apiVersion": "projectcontour.io/v1",
        "kind": "HTTPProxy",
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {
            "virtualhost": {"fqdn": "a.example"},
            "routes": [{"services": [{"name": "app", "port": 80}]}],
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "app", "namespace": "default"},
        "spec": {"ports": [{"port": 80}]},
    }
    timeouts = {
        "apiVersion": "isoline.dev/v1alpha1",
        "kind": "GatewayConfig",
        "metadata": {"name": "default"},
        "spec": {"timeouts": {"connect": "7s"}},
    }
    world.store.apply([decode_object(manifest), decode_object(service)])
    async with world.running():
        clusters = list(world.cache.names(types.CLUSTER))
        before = world.cache.get(Name(types.CLUSTER, clusters[0]))
        world.store.apply([decode_object(timeouts)])
        await until(lambda: world.cache.get(Name(types.CLUSTER, clusters[0])) != before)
