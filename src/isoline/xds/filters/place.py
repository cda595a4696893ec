"""Where a filter stands, and what each filter's module offers."""

from typing import Any, NamedTuple, Protocol

from isoline.routing import ir
from isoline.xds.names import Scheme


class Place(NamedTuple):
    """One filter chain, as far as HTTP filters are concerned."""

    gateway: ir.Gateway
    scheme: Scheme
    wildcard: bool
    """The chain ends TLS for a wildcard host."""
    used: frozenset[str] = frozenset()
    """Names of the filters that some site has asked for, of those that stand only then."""
    upgrades_apart: bool = False
    """WebSockets have filters of their own there, so that other requests are spared what only they need."""
    forward: ir.ForwardedCertificate | None = None
    """What the upstream is told of the client's certificate."""


class HttpFilter(Protocol):
    """A module that is one HTTP filter."""

    @property
    def NAME(self) -> str:  # noqa: N802
        """Unique in the table; Envoy's statistics and per-route configuration use it."""

    def applies(self, place: Place) -> bool:
        """Whether the filter stands there at all. What does not stand there costs nothing."""

    def http_filter(self, place: Place) -> Any:
        """The `HttpFilter` message."""
