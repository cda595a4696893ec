"""What one stream wants of one type, what it has, and what is on its way."""

from collections.abc import Iterable, Iterator, Mapping

from isoline.xds import secrets, types
from isoline.xds.cache import Cache
from isoline.xds.resources import Name, Resource

_MAX_SPELLINGS = 16
"""Envoy keeps every server name it ever got a certificate for, and a host of n letters can be written in 2^n ways."""

ANYTHING = Name("", "")
"""What is needed by a version that only Envoy knows."""


class Subscription:
    """One type on one stream. Names are as the stream asked for them; `canonical` ones are the cache's."""

    def __init__(self, type_url: str) -> None:
        self.type_url = type_url
        self.wildcard = False
        self.greeted = True
        """Not so while a stream that asked for everything has not had a first response."""
        self.asked: set[str] = set()
        self.held: dict[str, Resource] = {}
        """What Envoy last accepted. A version we do not have stands there without a body."""
        self.sent: dict[str, Resource] = {}
        """The latest on its way."""
        self.pending: dict[str, None] = {}
        """To be compared with the cache."""
        self.unanswered: set[str] = set()
        """Asked for since, so that even what is unchanged, or absent, must be said."""
        self.waiting: dict[str, float] = {}
        """Held back for what it needs, until this time at the latest."""
        self.removals: dict[str, None] = {}
        """Gone, and to be said as soon as nothing needs it."""
        self._spellings: dict[str, set[str]] = {}

    def start(self, subscribe: Iterable[str], versions: Mapping[str, str]) -> None:
        """The first request: with what Envoy kept from an earlier stream, of which nothing is sent again."""
        names = list(subscribe)
        self.wildcard = not names and self.type_url in types.WITHOUT_NAMES_ALL
        self.greeted = not self.wildcard or bool(versions)
        self.held.update((name, _placeholder(self.type_url, name, version)) for name, version in versions.items())
        self.subscribe(names)
        self.unanswered -= versions.keys()
        self.pending.update(dict.fromkeys(versions))

    def subscribe(self, names: Iterable[str]) -> None:
        for name in names:
            if name == "*":
                self.wildcard = True
                continue
            self.asked.add(name)
            self._spell(name)
            self.unanswered.add(name)
            self.pending[name] = None

    def unsubscribe(self, names: Iterable[str]) -> list[Resource]:
        """Forgets names. Returns what was held under them."""
        forgotten = []
        for name in names:
            if name == "*":
                self.wildcard = False
                forgotten += self._forget_all_but_asked()
                continue
            self.asked.discard(name)
            self._unspell(name)
            if not self.wildcard:
                forgotten += self._forget(name)
        return forgotten

    def wants(self, name: str) -> bool:
        return self.wildcard or name in self.asked

    def is_asked_anew(self, name: str) -> bool:
        """Whether a name was asked for since Envoy last accepted something under it."""
        return name in self.unanswered or name in self.sent

    def spellings(self, canonical: str) -> Iterator[str]:
        """The names that are asked for and mean `canonical`."""
        if self.wants(canonical):
            yield canonical
        yield from self._spellings.get(canonical, ())

    def canonical(self, name: str) -> str | None:
        """The cache's name for `name`; None if one spelling too many is asked for."""
        if self.type_url != types.SECRET:
            return name
        canonical = secrets.canonical(name)
        if canonical == name or name in self._spellings.get(canonical, ()):
            return canonical
        return None

    def current(self, name: str, cache: Cache) -> Resource | None:
        """What the cache has for `name`."""
        canonical = self.canonical(name)
        return None if canonical is None else cache.get(Name(self.type_url, canonical))

    def _spell(self, name: str) -> None:
        if self.type_url != types.SECRET or (canonical := secrets.canonical(name)) == name:
            return
        spellings = self._spellings.setdefault(canonical, set())
        if len(spellings) < _MAX_SPELLINGS:
            spellings.add(name)

    def _unspell(self, name: str) -> None:
        canonical = secrets.canonical(name) if self.type_url == types.SECRET else name
        if spellings := self._spellings.get(canonical):
            spellings.discard(name)
            if not spellings:
                del self._spellings[canonical]

    def _forget_all_but_asked(self) -> list[Resource]:
        gone = [name for name in self.held.keys() | self.pending.keys() | self.waiting.keys() if name not in self.asked]
        return [resource for name in gone for resource in self._forget(name)]

    def _forget(self, name: str) -> list[Resource]:
        for table in (self.pending, self.waiting, self.removals, self.sent):
            table.pop(name, None)
        self.unanswered.discard(name)
        held = self.held.pop(name, None)
        return [] if held is None else [held]


def _placeholder(type_url: str, name: str, version: str) -> Resource:
    needs = () if type_url in types.NEEDED else (ANYTHING,)
    return Resource(Name(type_url, name), version, b"", needs)
