"""Turns what was compiled into resources, and remembers who gave which, so that what nobody gives any more goes.

Kept of a site is what it takes to undo it: names, not messages.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

from isoline.routing import ir
from isoline.routing.update import Update
from isoline.xds import secrets, types
from isoline.xds.filters.table import used_by
from isoline.xds.own_chains import OwnChain, own_chain
from isoline.xds.render import render_endpoints, render_gateway, render_site
from isoline.xds.resources import Name, Resource
from isoline.xds.scopes import NO_SCOPES, Turning, turned

_SITES_DEPEND_ON = ("public_https_port", "route_timeout", "connect_timeout", "http3", "access_log")
"""The fields of a gateway that sites are rendered with; the log is that of tunnels."""

AnyChain = TypeVar("AnyChain", OwnChain, ir.Chain)


class Batch(NamedTuple):
    """What one update means for the cache. No name is in both."""

    put: list[Resource]
    remove: list[Name]


class Rendered(NamedTuple):
    """What is remembered of a site."""

    resources: tuple[Name, ...]
    certificates: tuple[tuple[str, Name], ...] = ()
    """Each certificate that it is served with, or shows to upstreams, and under which name Envoy asks for that."""
    chain: OwnChain | None = None
    """Set when it does not just use the shared filter chain."""
    ends_tls: bool = False
    http3: ir.Chain | None = None
    """Set when it is to be served over HTTP/3."""
    turning: Turning = NO_SCOPES
    fallback: str = ""
    """The certificate for clients that name no known host, where the site is theirs, too."""

    @property
    def secrets(self) -> tuple[Name, ...]:
        return tuple(secret for _, secret in self.certificates)


NOTHING = Rendered(())


class Renderer:
    """Holds no messages: one `Rendered` a site, the bodies of secrets, and who shares what."""

    def __init__(self) -> None:
        self._gateway: ir.Gateway | None = None
        self._sites: dict[str, Rendered] = {}
        self._givers: dict[Name, int] = {}
        self._secrets: dict[str, bytes] = {}
        self._certificate_hosts: dict[str, set[str]] = {}
        self._chains: dict[str, OwnChain] = {}
        self._fallbacks: dict[str, str] = {}
        self._http3: dict[str, ir.Chain] = {}
        self._used: frozenset[str] = frozenset()
        self._listeners_stale = True
        self._shared: set[Name] = set()
        self._put: dict[Name, Resource] = {}
        self._remove: set[Name] = set()

    def render(self, update: Update) -> Batch:
        """The resources to put and to remove for this update.

        The first update has to bring the gateway.
        """
        self._put, self._remove = {}, set()
        if update.gateway is not None:
            self._gateway = update.gateway
            self._listeners_stale = True
        assert self._gateway is not None, "the first update brings the gateway"
        for endpoints_name, endpoints in update.endpoints.items():
            self._set_endpoints(endpoints_name, endpoints)
        for certificate_name, certificate in update.certificates.items():
            self._set_certificate(certificate_name, certificate)
        for host, site in update.sites.items():
            self._set_site(host, site, self._gateway)
        self._set_listeners(self._gateway)
        return Batch(list(self._put.values()), [name for name in self._remove if name not in self._put])

    def outdated_by(self, gateway: ir.Gateway | None) -> bool:
        """Whether a new gateway changes how sites are rendered, not only the listeners."""
        if gateway is None or self._gateway is None:
            return False
        return any(getattr(gateway, name) != getattr(self._gateway, name) for name in _SITES_DEPEND_ON)

    def hosts_of(self, name: Name) -> Iterator[str]:
        """The hosts whose sites gave this resource. Walks all sites: meant for what an Envoy refused."""
        return (host for host in self._sites if name in self.names_of(host))

    def names_of(self, host: str) -> tuple[Name, ...]:
        """The resources that a host's site gave, and the certificate that it is asked for."""
        rendered = self._sites.get(host, NOTHING)
        return (*rendered.resources, *rendered.secrets)

    def _set_endpoints(self, name: str, endpoints: ir.Endpoints | None) -> None:
        if endpoints is None:
            self._remove.add(Name(types.ENDPOINTS, name))
        else:
            self._add(render_endpoints(endpoints))

    def _set_certificate(self, name: str, certificate: ir.Certificate | None) -> None:
        hosts = self._certificate_hosts.get(name, set())
        if certificate is None:
            self._secrets.pop(name, None)
            pairs = (pair for host in hosts for pair in self._sites[host].certificates)
            self._remove.update(secret for used, secret in pairs if used == name)
        else:
            self._secrets[name] = secrets.body(certificate)
            for host in hosts:
                self._add_secrets(pair for pair in self._sites[host].certificates if pair[0] == name)

    def _set_site(self, host: str, site: ir.Site | None, gateway: ir.Gateway) -> None:
        before = self._sites.pop(host, NOTHING)
        after = NOTHING if site is None else self._render_site(site, gateway, before.turning)
        if site is not None:
            self._sites[host] = after
        for name in (*after.resources, *after.secrets):
            self._givers[name] = self._givers.get(name, 0) + 1
        for name in (*before.resources, *before.secrets):
            self._take_back(name)
        if before.certificates != after.certificates:
            self._move_certificates(host, before, after)
        self._add_secrets(after.certificates)
        if site is not None:
            self._use(used_by(site))
        self._set_chain(self._chains, host, after.chain)
        self._set_chain(self._http3, host, after.http3)
        self._set_fallback(host, before, after)

    def _render_site(self, site: ir.Site, gateway: ir.Gateway, before: Turning) -> Rendered:
        resources, turning = turned(render_site(site, gateway), before)
        for item in resources:
            self._add(item)
        given = tuple(item.name for item in resources)
        certificates: list[tuple[str, Name]] = []
        if site.tls is not None:
            # A wildcard's chain names its certificate; those of exact hosts are asked for by the server name.
            secret = Name(types.SECRET, site.tls.certificate if site.wildcard else site.host)
            certificates.append((site.tls.certificate, secret))
        if site.fallback:
            certificates.append((site.fallback, Name(types.SECRET, site.fallback)))
        shown = (cluster.client_certificate for cluster in site.clusters if cluster.client_certificate)
        certificates.extend((name, Name(types.SECRET, name)) for name in shown)
        ends_tls = site.tls is not None
        chain = site.http3_chain
        if chain is not None and chain.tls is not None:
            certificates.append((chain.tls.certificate, Name(types.SECRET, chain.tls.certificate)))
        own = None if site.chain is None else own_chain(site.chain)
        return Rendered(given, tuple(dict.fromkeys(certificates)), own, ends_tls, chain, turning, site.fallback)

    def _add(self, item: Resource) -> None:
        self._put[item.name] = item

    def _add_secrets(self, certificates: Iterable[tuple[str, Name]]) -> None:
        for certificate, secret in certificates:
            body = self._secrets.get(certificate)
            if body is not None:
                self._add(secrets.secret(secret.name, body))

    def _take_back(self, name: Name) -> None:
        self._givers[name] -= 1
        if not self._givers[name]:
            del self._givers[name]
            self._remove.add(name)

    def _move_certificates(self, host: str, before: Rendered, after: Rendered) -> None:
        used_before, used_after = (dict.fromkeys(name for name, _ in each.certificates) for each in (before, after))
        for name in used_before:
            if name not in used_after:
                hosts = self._certificate_hosts[name]
                hosts.discard(host)
                if not hosts:
                    del self._certificate_hosts[name]
        for name in used_after:
            self._certificate_hosts.setdefault(name, set()).add(host)

    def _set_fallback(self, host: str, before: Rendered, after: Rendered) -> None:
        """While there is a fallback, the listener knows every host on HTTPS, and changes as one comes or goes."""
        known_before, known_after = (_is_known(host, each) for each in (before, after))
        if before.fallback != after.fallback or (self._fallbacks and known_before != known_after):
            self._listeners_stale = True
        if after.fallback:
            self._fallbacks[host] = after.fallback
        else:
            self._fallbacks.pop(host, None)

    def _fallback(self) -> ir.Fallback | None:
        if not self._fallbacks:
            return None
        known = sorted(host for host, each in self._sites.items() if _is_known(host, each))
        return ir.Fallback(certificate=min(self._fallbacks.values()), known=tuple(known))

    def _set_chain(self, chains: dict[str, AnyChain], host: str, chain: AnyChain | None) -> None:
        if chain != chains.get(host):
            self._listeners_stale = True
        if chain is None:
            chains.pop(host, None)
        else:
            chains[host] = chain

    def _use(self, filters: frozenset[str]) -> None:
        """A filter that has come stays: to and fro of one site's would be felt by all."""
        if not filters <= self._used:
            self._used |= filters
            self._listeners_stale = True

    def _set_listeners(self, gateway: ir.Gateway) -> None:
        if self._listeners_stale:
            self._listeners_stale = False
            shared = render_gateway(
                gateway,
                self._chains,
                fallback=self._fallback(),
                used=self._used,
                http3=self._http3.values(),
            )
            for item in shared:
                self._add(item)
            names = {item.name for item in shared}
            self._remove |= self._shared - names
            self._shared = names


def _is_known(host: str, rendered: Rendered) -> bool:
    """Whether handshakes that name a host are that host's own."""
    return host != ir.CATCH_ALL and (rendered.ends_tls or rendered.chain is not None)
