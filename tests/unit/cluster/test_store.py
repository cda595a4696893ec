"""The store: what it holds, how it is found, and the order in which its changes are told."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoline.cluster.store import Index, PositionExpiredError, Store
from isoline.objects import ConfigMap, HTTPProxy, HTTPProxyStatus, Key, Object, ObjectMeta
from isoline.objects.httpproxy import HTTPProxySpec, VirtualHost

BY_VALUE = Index("value", "ConfigMap", lambda item: item.data.values())
BY_LABEL = Index("label", "ConfigMap", lambda item: item.metadata.labels)
BY_HOST = Index("value", "HTTPProxy", lambda item: [item.spec.virtualhost.fqdn])


def config_map(
    name: str, *, namespace: str = "default", labels: dict[str, str] | None = None, **data: str
) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace=namespace, labels=labels or {}), data=data)


def proxy(name: str, host: str, *, status: str = "NotReconciled", revision: str = "1") -> HTTPProxy:
    return HTTPProxy(
        metadata=ObjectMeta(name=name, namespace="default", resource_version=revision),
        spec=HTTPProxySpec(virtualhost=VirtualHost(fqdn=host)),
        status=HTTPProxyStatus(current_status=status),
    )


def key(name: str, namespace: str = "default") -> Key:
    return Key("ConfigMap", namespace, name)


def test_an_object_is_found_by_its_key_until_it_is_deleted() -> None:
    store = Store()
    item = config_map("a")
    store.apply([item])
    assert store.get(key("a")) is item
    store.apply(delete=[key("a")])
    assert store.get(key("a")) is None


def test_a_batch_tells_each_change_with_its_old_and_new_version() -> None:
    store = Store()
    first, second = config_map("a", x="1"), config_map("a", x="2")
    store.apply([first])
    (changed,) = store.apply([second])
    assert (changed.old, changed.new, changed.status_only) == (first, second, False)
    (gone,) = store.apply(delete=[key("a")])
    assert (gone.old, gone.new, gone.position) == (second, None, 3)


def test_an_equal_object_and_an_unknown_deletion_are_no_change() -> None:
    store = Store()
    store.apply([config_map("a")])
    assert store.apply([config_map("a")], delete=[key("b")]) == []
    assert store.position == 1


def test_a_kind_is_listed_in_the_order_in_which_objects_came() -> None:
    store = Store()
    store.apply([config_map("b"), config_map("a"), config_map("c", namespace="other")])
    assert [item.metadata.name for item in store.of_kind("ConfigMap")] == ["b", "a", "c"]
    assert [item.metadata.name for item in store.of_kind("ConfigMap", "other")] == ["c"]
    assert (store.count("ConfigMap"), store.kinds()) == (3, ["ConfigMap"])


def test_a_listing_may_be_walked_while_the_store_changes() -> None:
    store = Store()
    store.apply([config_map("a"), config_map("b")])
    seen = []
    for item in store.of_kind("ConfigMap"):
        seen.append(item.metadata.name)
        store.apply([config_map("c")], delete=[item.key])
    assert seen == ["a", "b"]


def test_indexes_of_several_kinds_may_share_a_name() -> None:
    store = Store([BY_VALUE, BY_HOST])
    store.apply([config_map("a", x="voice.example"), proxy("p", "voice.example")])
    assert store.find("value", "voice.example") == [key("a"), Key("HTTPProxy", "default", "p")]
    assert store.find("value", "other.example") == ()


def test_a_change_moves_an_object_in_its_indexes() -> None:
    store = Store([BY_VALUE])
    store.apply([config_map("a", x="1", y="1"), config_map("b", x="1")])
    assert store.find("value", "1") == [key("a"), key("b")]
    store.apply([config_map("a", x="2")])
    assert (store.find("value", "1"), store.find("value", "2")) == ([key("b")], [key("a")])


def test_a_new_status_is_told_as_nothing_but_a_status() -> None:
    store = Store()
    store.apply([proxy("p", "a.example")])
    (change,) = store.apply([proxy("p", "a.example", status="valid", revision="2")])
    assert change.status_only
    (change,) = store.apply([proxy("p", "b.example", status="valid", revision="3")])
    assert not change.status_only


def test_the_feed_is_read_again_from_any_retained_position() -> None:
    store = Store(retained_changes=3)
    for number in range(5):
        store.apply([config_map("a", x=str(number))])
    assert [change.position for change in store.changes(2)] == [3, 4, 5]
    assert [change.position for change in store.changes(4)] == [5]
    assert store.changes(5) == []
    with pytest.raises(PositionExpiredError):
        store.changes(1)


async def test_a_follower_gets_what_came_at_once_and_what_comes_later() -> None:
    store = Store()
    store.apply([config_map("a"), config_map("b")])
    feed = store.follow(0)
    assert [change.key.name for change in await anext(feed)] == ["a", "b"]
    later = asyncio.ensure_future(anext(feed))
    await asyncio.sleep(0)
    assert not later.done()
    store.apply([config_map("c")])
    store.apply([config_map("d")])
    assert [change.key.name for change in await later] == ["c", "d"]


async def test_a_follower_that_is_too_slow_is_told_so() -> None:
    store = Store(retained_changes=2)
    feed = store.follow(0)
    for number in range(3):
        store.apply([config_map(str(number))])
    with pytest.raises(PositionExpiredError):
        await anext(feed)


async def test_a_follower_that_is_cancelled_harms_nobody() -> None:
    store = Store()
    gone, stays = (asyncio.ensure_future(anext(store.follow(0))) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    store.apply([config_map("a")])
    assert len(await stays) == 1


NAMES = st.sampled_from("abcde")
VALUES = st.dictionaries(NAMES, st.sampled_from(["1", "2", "3"]), max_size=3)
OBJECTS = st.builds(lambda name, labels, data: config_map(name, labels=labels, **data), NAMES, VALUES, VALUES)
BATCHES = st.lists(st.tuples(st.lists(OBJECTS, max_size=4), st.lists(NAMES.map(key), max_size=2)), max_size=12)


@given(BATCHES)
@settings(deadline=None)
def test_an_index_always_equals_a_scan(batches: list[tuple[list[Object], list[Key]]]) -> None:
    store = Store([BY_VALUE, BY_LABEL])
    for put, delete in batches:
        store.apply(put, delete)
        for index in (BY_VALUE, BY_LABEL):
            scan: dict[str, list[Key]] = {}
            for item in store.of_kind("ConfigMap"):
                for value in set(index.values(item)):
                    scan.setdefault(value, []).append(item.key)
            found = {value: list(store.find(index.name, value)) for value in ("1", "2", "3", *"abcde")}
            assert {value: keys for value, keys in found.items() if keys} == {v: sorted(k) for v, k in scan.items()}


@given(BATCHES)
@settings(deadline=None)
def test_the_feed_replayed_gives_the_store(batches: list[tuple[list[Object], list[Key]]]) -> None:
    store = Store()
    for put, delete in batches:
        store.apply(put, delete)
    replayed: dict[Key, Object] = {}
    for change in store.changes(0):
        assert replayed.get(change.key) == change.old
        if change.new is None:
            del replayed[change.key]
        else:
            replayed[change.key] = change.new
    assert replayed == {item.key: item for item in store.of_kind("ConfigMap")}
    assert Counter(change.position for change in store.changes(0)) == Counter(range(1, store.position + 1))
