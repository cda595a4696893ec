"""Certificates, and all that is served for one host."""

from enum import Enum

from isoline.routing.ir.base import IR
from isoline.routing.ir.cors import Cors
from isoline.routing.ir.rate_limits import GlobalLimit, LocalLimit
from isoline.routing.ir.routes import AddressFilter, Route, Share
from isoline.routing.ir.traffic import Traffic
from isoline.routing.ir.upstreams import Cluster


class PrivateBytes(bytes):
    """Bytes that no log and no page may show."""

    def __repr__(self) -> str:
        return "<redacted>"

    __str__ = __repr__


class Certificate(IR, frozen=True, kw_only=True):
    """A certificate chain and its key, PEM. One Secret makes one."""

    name: str
    """`<namespace>/<secret>`."""
    chain: bytes
    key: PrivateBytes


class TlsVersion(Enum):
    V1_2 = "1.2"
    V1_3 = "1.3"


class Tls(IR, frozen=True, kw_only=True):
    """How a site ends TLS."""

    certificate: str
    """The name of a `Certificate`."""
    minimum: TlsVersion | None = None
    maximum: TlsVersion | None = None


class Site(IR, frozen=True, kw_only=True):
    """All that is served for one host in lower case: exact, or a wildcard of one label (`*.example.com`)."""

    host: str
    http: tuple[Route, ...] = ()
    """Routes on plain HTTP, in the order in which they are tried. Empty: the host is not known there."""
    https: tuple[Route, ...] = ()
    """Routes on HTTPS, in order. Empty: the host does not end TLS here."""
    tls: Tls | None = None
    """Set exactly when `https` is not empty or the site answers TLS at all."""
    own_chain: bool = False
    """It needs a filter chain of its own: a wildcard, TLS parameters unlike the shared chain's, or a wildcard's chain
    that would catch it with another certificate."""
    clusters: tuple[Cluster, ...] = ()
    """Every cluster that a route of this site names."""
    addresses: AddressFilter | None = None
    """Holds on both schemes for routes that have none of their own."""
    cors: Cors | None = None
    local_limit: LocalLimit | None = None
    global_limit: GlobalLimit | None = None
    traffic: Traffic | None = None
    """Holds on both schemes for routes that have none of their own."""

    @property
    def wildcard(self) -> bool:
        return self.host.startswith("*")
