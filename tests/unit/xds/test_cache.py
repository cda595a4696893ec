"""The cache: what changed, what is served, what was refused."""

from collections.abc import Collection

from isoline.xds.cache import Cache
from isoline.xds.resources import Name, Resource, resource

KIND = "type.googleapis.com/kind"


def a(name: str, body: str = "1", *needs: str) -> Resource:
    return resource(KIND, name, body.encode(), tuple(Name(KIND, need) for need in needs))


def test_an_update_tells_what_changed_and_nothing_else() -> None:
    cache, told = Cache(), list[Collection[Name]]()
    stop = cache.on_change(told.append)
    assert cache.update([a("one"), a("two")]) == {Name(KIND, "one"), Name(KIND, "two")}
    assert cache.update([a("one"), a("two", "2")], [Name(KIND, "nothing")]) == {Name(KIND, "two")}
    assert cache.update([a("one")]) == set()
    assert cache.update(remove=[Name(KIND, "one")]) == {Name(KIND, "one")}
    assert [len(names) for names in told] == [2, 1, 1]
    stop()
    cache.update([a("three")])
    assert len(told) == 3
    assert cache.all_names() == {Name(KIND, "two"), Name(KIND, "three")}
    assert sorted(cache.names(KIND)) == ["three", "two"]
    assert list(cache.names("another kind")) == []


def test_equal_content_has_an_equal_version_whatever_it_needs() -> None:
    cache = Cache()
    cache.update([a("one")])
    assert cache.update([a("one", "1", "other")]) == set()
    present = cache.get(Name(KIND, "one"))
    assert present is not None
    assert present.needs == (Name(KIND, "other"),)
    assert a("one").version == a("two").version != a("one", "2").version


def test_what_is_refused_gives_way_to_what_was_accepted() -> None:
    cache, told = Cache(), list[Collection[Name]]()
    name = Name(KIND, "one")
    cache.update([a("one", "bad")])
    cache.on_change(told.append)
    assert cache.reject(a("one", "bad"), "no good", a("one", "good"))
    assert cache.get(name) == a("one", "good")
    assert cache.rejections[name].message == "no good"
    assert told == [(name,)]
    assert not cache.reject(a("one", "bad"), "no good", None)
    assert len(told) == 1


def test_a_refusal_ends_with_the_version() -> None:
    cache = Cache()
    name = Name(KIND, "one")
    cache.update([a("one", "bad")])
    cache.reject(a("one", "bad"), "no good", None)
    assert cache.get(name) is None
    cache.update([a("one", "bad")])
    assert cache.get(name) is None
    assert not cache.reject(a("one", "older"), "no good", None)
    cache.update([a("one", "good")])
    assert cache.get(name) == a("one", "good")
    cache.reject(a("one", "good"), "no good", None)
    cache.update(remove=[name])
    assert not cache.rejections
    assert not cache.reject(a("one", "good"), "no good", None)


def test_it_is_ready_when_it_is_told_so() -> None:
    cache, told = Cache(), list[Collection[Name]]()
    cache.on_change(told.append)
    states = [cache.ready]
    cache.mark_ready()
    states.append(cache.ready)
    assert states == [False, True]
    assert told == [()]


def test_what_was_restored_counts_until_the_present_is_there() -> None:
    cache, told = Cache(), list[Collection[Name]]()
    cache.on_change(told.append)
    states = [cache.restored]
    cache.mark_restored()
    states += [cache.restored, cache.ready]
    cache.mark_ready()
    states.append(cache.restored)
    assert states == [False, True, False, False]
    assert told == [(), ()]
