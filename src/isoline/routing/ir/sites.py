"""Certificates, and all that is served for one host."""

from enum import Enum
from math import inf

from isoline.routing.ir.access import Authorization, PrivateBytes, Tokens
from isoline.routing.ir.base import IR
from isoline.routing.ir.cors import Cors
from isoline.routing.ir.rate_limits import GlobalLimit, LocalLimit
from isoline.routing.ir.routes import AddressFilter, Route, Share
from isoline.routing.ir.traffic import Traffic
from isoline.routing.ir.upstreams import Cluster


class Certificate(IR, frozen=True, kw_only=True):
    """A certificate chain and its key, PEM. One Secret makes one."""

    name: str
    """`<namespace>/<secret>`."""
    chain: bytes
    key: PrivateBytes
    ends: float = inf
    """When it is valid no more, in seconds since the epoch."""


class TlsVersion(Enum):
    V1_2 = "1.2"
    V1_3 = "1.3"


class ForwardedCertificate(IR, frozen=True, kw_only=True):
    """What the upstream is told of the client's certificate, in X-Forwarded-Client-Cert; its hash always."""

    subject: bool = False
    certificate: bool = False
    chain: bool = False
    dns: bool = False
    uri: bool = False


class ClientCertificates(IR, frozen=True, kw_only=True):
    """Whom clients must prove to be."""

    name: str = ""
    """Where the authorities and revocations come from: whoever says the same name has the same of them. Empty: nobody
    else has them."""
    authorities: bytes = b""
    """Certificates, PEM, one of which the client's must lead to. Never empty if `verify`."""
    revocations: bytes = b""
    """Revocation lists, PEM; only with authorities. Every authority of a client's chain needs one."""
    only_leaf_revocation: bool = False
    """Only the client's own certificate is looked up in the lists, not its issuers'."""
    verify: bool = True
    """False: any certificate will do, and without authorities none will, too: clients are only asked for one."""
    optional: bool = False
    """A client may come without; one that it shows must be good."""
    forward: ForwardedCertificate | None = None


class Tls(IR, frozen=True, kw_only=True):
    """How a site ends TLS."""

    certificate: str
    """The name of a `Certificate`."""
    minimum: TlsVersion | None = None
    maximum: TlsVersion | None = None
    clients: ClientCertificates | None = None


class Tunnel(IR, frozen=True, kw_only=True):
    """What happens to a connection whose bytes are handed on as they are."""

    shares: tuple[Share, ...]
    """By weight, at least one above 0; only `cluster` and `weight` count. Empty: the connection is closed."""


class Chain(IR, frozen=True, kw_only=True):
    """What a site's filter chain of its own is made of. While it is equal, the listener is."""

    host: str
    tls: Tls | None
    tunnel: Tunnel | None = None


class Fallback(IR, frozen=True, kw_only=True):
    """What clients get that name no host in the handshake, or one that nobody serves."""

    certificate: str
    """The name of a `Certificate`."""
    known: tuple[str, ...]
    """The hosts on HTTPS, sorted: whoever names one of them is theirs."""


CATCH_ALL = "*"
"""The host that takes what no other host takes."""


class Site(IR, frozen=True, kw_only=True):
    """All that is served for one host in lower case: exact, a wildcard of one label (`*.example.com`), or `CATCH_ALL`,
    which is on HTTPS for clients on the fallback certificate only."""

    host: str
    http: tuple[Route, ...] = ()
    """Routes on plain HTTP, in the order in which they are tried. Empty: the host is not known there."""
    https: tuple[Route, ...] = ()
    """Routes on HTTPS, in order. Empty: the host does not end TLS here."""
    tls: Tls | None = None
    """Set exactly when `https` is not empty or the site answers TLS at all; never of `CATCH_ALL`."""
    own_chain: bool = False
    """It needs a filter chain of its own: a wildcard, TLS parameters unlike the shared chain's, a tunnel, or a
    wildcard's chain that would catch it with another certificate."""
    tunnel: Tunnel | None = None
    """In place of `https`: all that comes on HTTPS is handed on, as it comes without `tls`, else decrypted."""
    fallback: str = ""
    """The name of the `Certificate` under which clients that name no known host in the handshake are served as well."""
    clusters: tuple[Cluster, ...] = ()
    """Every cluster that a route of this site names."""
    addresses: AddressFilter | None = None
    """Holds on both schemes for routes that have none of their own."""
    tokens: Tokens | None = None
    """Holds on both schemes, but for redirects to https."""
    authorization: Authorization | None = None
    """The same."""
    cors: Cors | None = None
    local_limit: LocalLimit | None = None
    global_limit: GlobalLimit | None = None
    traffic: Traffic | None = None
    """Holds on both schemes for routes that have none of their own."""

    @property
    def http3(self) -> float | None:
        """Seconds for which clients may remember that the host is served over HTTP/3 too; None: it is not."""
        asked = (self.traffic, *(route.traffic for route in (*self.https, *self.http)))
        return next((each.http3 for each in asked if each is not None and each.http3 is not None), None)

    @property
    def http3_chain(self) -> Chain | None:
        """Its filter chain for HTTP/3, where it asks for that; QUIC asks no client for a certificate."""
        if self.http3 is None or not self.https or self.tls is None or self.tls.clients is not None:
            return None
        return Chain(host=self.host, tls=self.tls)

    @property
    def wildcard(self) -> bool:
        return self.host.startswith("*.")

    @property
    def catch_all(self) -> bool:
        return self.host == CATCH_ALL

    @property
    def chain(self) -> Chain | None:
        """Its filter chain, if it has one of its own."""
        return Chain(host=self.host, tls=self.tls, tunnel=self.tunnel) if self.own_chain else None
