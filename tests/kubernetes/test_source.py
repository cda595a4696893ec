"""The store is what the API server has, whatever happens to the connection between them; and nothing else is in it."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from isoline.cluster.kubernetes.client import Client
from isoline.cluster.kubernetes.kubeconfig import from_kubeconfig
from isoline.cluster.kubernetes.reflector import Reflector
from isoline.cluster.kubernetes.source import KubernetesSource
from isoline.cluster.store import Store
from isoline.objects import Key
from isoline.routing.indexes import INDEXES
from kubernetes.planes import defined, new_namespace, proxy
from kubernetes.rig import Api, Rig
from kubernetes.wires import Wire

PATIENCE = 20.0


@pytest.fixture
async def namespace(api: Api) -> str:
    return await new_namespace(api)


@asynccontextmanager
async def following(rig: Rig, *namespaces: str, server: str | None = None) -> AsyncIterator[KubernetesSource]:
    connection = from_kubeconfig([rig.kubeconfig])
    client = Client(replace(connection, server=server or connection.server))
    source = KubernetesSource(client, Store(INDEXES), namespaces=namespaces)
    try:
        async with asyncio.timeout(PATIENCE):
            await source.start()
        yield source
    finally:
        await source.stop()
        await client.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - there is no event for what the tests look at
            await asyncio.sleep(0.01)


def secret(name: str, namespace: str, kind: str, **data: str) -> dict[str, Any]:
    encoded = {key.replace("_", "."): base64.b64encode(value.encode()).decode() for key, value in data.items()}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": encoded}


def reflector_of(source: KubernetesSource, kind: str) -> Reflector:
    (found,) = (each for each in source.followed if each.kind.name == kind)
    return found


async def test_of_secrets_only_certificates_and_what_is_looked_up_come_here(rig: Rig, api: Api, namespace: str) -> None:
    await api.apply(secret("site", namespace, "kubernetes.io/tls", tls_crt="c", tls_key="k"))
    await api.apply(secret("password", namespace, "Opaque", password="p"))
    await api.apply(secret("release", namespace, "helm.sh/release.v1", release="r"))
    await api.apply(secret("authority", namespace, "Opaque", ca_crt="one"))
    async with following(rig, namespace) as source:
        store = source.store

        def held() -> list[str]:
            return sorted(item.metadata.name for item in store.of_kind("Secret"))

        assert held() == ["site"]
        wanted = Key("Secret", namespace, "authority")
        source.looked_up(wanted, True)
        await source.secrets.settled()
        assert held() == ["authority", "site"]
        await api.apply(secret("authority", namespace, "Opaque", ca_crt="two"))
        await until(lambda: b"two" in bytes(getattr(store.get(wanted), "data")["ca.crt"]))  # noqa: B009
        source.looked_up(wanted, False)
        assert held() == ["site"]


async def test_a_secret_that_is_looked_up_in_vain_is_found_when_it_comes_of_either_type(
    rig: Rig, api: Api, namespace: str
) -> None:
    async with following(rig, namespace) as source:
        late, opaque = Key("Secret", namespace, "late"), Key("Secret", namespace, "opaque")
        for key in (late, opaque):
            source.looked_up(key, True)
        await source.secrets.settled()
        assert len(source.secrets) == 2
        await api.apply(secret("late", namespace, "kubernetes.io/tls", tls_crt="c", tls_key="k"))
        await api.apply(secret("opaque", namespace, "Opaque", ca_crt="x"))
        await until(lambda: source.store.get(late) is not None and source.store.get(opaque) is not None)
        # Certificates are followed together, so the one by name ends.
        await until(lambda: len(source.secrets) == 1)
        await api.delete("Secret", "late", namespace=namespace)
        await until(lambda: source.store.get(late) is None and len(source.secrets) == 2)


async def test_many_secrets_that_are_looked_up_are_followed_by_one_watch_and_others_pass_it_unread(
    rig: Rig, api: Api, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isoline.cluster.kubernetes.references.SINGLES", 3)
    await api.apply_all([secret(f"s{number}", namespace, "Opaque", text="one") for number in range(8)])
    async with following(rig, namespace) as source:
        store = source.store

        def text_of(name: str) -> bytes:
            found = store.get(Key("Secret", namespace, name))
            return b"" if found is None else bytes(getattr(found, "data")["text"])  # noqa: B009

        def watches() -> int:
            return sum(each.state == "following" for each in source.secrets.reflectors)

        for number in range(6):
            source.looked_up(Key("Secret", namespace, f"s{number}"), True)
        source.looked_up(Key("Secret", namespace, "late"), True)
        await until(lambda: all(text_of(f"s{number}") == b"one" for number in range(6)))
        # Each is handed over, and one connection is left.
        await until(lambda: watches() == len(source.secrets.reflectors) == 1)
        assert sorted(item.metadata.name for item in store.of_kind("Secret")) == [f"s{number}" for number in range(6)]
        assert len(source.secrets) == 7
        await api.apply_all([secret(name, namespace, "Opaque", text="two") for name in ("s0", "s7", "late")])
        await until(lambda: (text_of("s0"), text_of("late")) == (b"two", b"two"))
        # Nobody had asked for it as it passed.
        assert text_of("s7") == b""
        source.looked_up(Key("Secret", namespace, "s7"), True)
        await until(lambda: text_of("s7") == b"two")
        await api.delete("Secret", "s1", namespace=namespace)
        await until(lambda: store.get(Key("Secret", namespace, "s1")) is None)
        source.looked_up(Key("Secret", namespace, "s0"), False)
        assert text_of("s0") == b""


async def test_a_cut_watch_goes_on_where_it_was_without_a_second_list(rig: Rig, api: Api, namespace: str) -> None:
    await api.apply(proxy("goes", namespace))
    async with Wire() as wire, following(rig, namespace, server=wire.address) as source:
        await wire.cut()
        await until(lambda: not source.connectivity().following)
        assert any("not followed" in str(problem) for problem in source.problems)
        await api.delete("HTTPProxy", "goes", namespace=namespace)
        await api.apply(proxy("comes", namespace))
        assert source.store.get(Key("HTTPProxy", namespace, "goes")) is not None
        await wire.mend()
        await until(lambda: source.store.get(Key("HTTPProxy", namespace, "comes")) is not None)
        assert source.store.get(Key("HTTPProxy", namespace, "goes")) is None
        assert reflector_of(source, "HTTPProxy").lists == 1
        await until(lambda: source.connectivity().following)
        assert not source.problems


async def test_a_version_that_the_server_has_forgotten_means_a_new_list_and_what_went_meanwhile_goes(
    rig: Rig, api: Api, namespace: str
) -> None:
    await api.apply(proxy("goes", namespace))
    await api.apply(proxy("stays", namespace))
    async with Wire() as wire, following(rig, namespace, server=wire.address) as source:
        reflector = reflector_of(source, "HTTPProxy")
        await wire.cut()
        await until(lambda: reflector.state == "away")
        await api.delete("HTTPProxy", "goes", namespace=namespace)
        reflector._version = "1"
        await wire.mend()
        await until(lambda: reflector.lists == 2)
        assert [item.metadata.name for item in source.store.of_kind("HTTPProxy")] == ["stays"]


async def test_a_server_without_streamed_lists_is_listed_page_by_page(
    rig: Rig, api: Api, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isoline.cluster.kubernetes.reflector.PAGE", 2)
    for number in range(5):
        await api.apply(proxy(f"p{number}", namespace))
    client = Client(from_kubeconfig([rig.kubeconfig]))
    source = KubernetesSource(client, Store(INDEXES), namespaces=(namespace,))
    for each in source.followed:
        each._streams_lists = False
    try:
        await source.start()
        assert source.store.count("HTTPProxy") == 5
        await api.apply(proxy("p5", namespace))
        await until(lambda: source.store.count("HTTPProxy") == 6)
    finally:
        await source.stop()
        await client.close()


async def test_only_the_given_namespaces_are_seen(rig: Rig, api: Api, namespace: str) -> None:
    other = await new_namespace(api)
    unseen = await new_namespace(api)
    for place in (namespace, other, unseen):
        await api.apply(proxy("p", place))
    async with following(rig, namespace, other) as source:
        assert {item.metadata.namespace for item in source.store.of_kind("HTTPProxy")} == {namespace, other}
        source.looked_up(Key("Secret", unseen, "s"), True)
        assert len(source.secrets) == 0


async def test_a_kind_that_is_not_there_keeps_nobody_waiting_and_is_found_when_it_comes(
    rig: Rig, api: Api, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isoline.cluster.kubernetes.reflector.ABSENT_SECONDS", 0.2)
    from isoline.objects.crds import crd_documents

    (definition,) = (each for each in crd_documents() if each["spec"]["names"]["kind"] == "GatewayConfig")
    async with following(rig, namespace) as source:
        assert reflector_of(source, "GatewayConfig").state == "absent"
        assert source.connectivity().following
        async with defined(api, definition):
            await until(lambda: reflector_of(source, "GatewayConfig").state == "following")


async def test_who_may_not_read_a_kind_is_told_which(rig: Rig, api: Api, namespace: str) -> None:
    client = Client(from_kubeconfig([rig.kubeconfig_of("nobody")]))
    source = KubernetesSource(client, Store(INDEXES), namespaces=(namespace,))
    starting = asyncio.create_task(source.start())
    try:
        await until(lambda: any("ingresses are not followed" in str(each) for each in source.problems))
        assert any("forbidden" in str(problem) for problem in source.problems)
        assert not source.synced.is_set()
    finally:
        starting.cancel()
        await source.stop()
        await client.close()
