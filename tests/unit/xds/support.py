"""A small world to render: sites, certificates, and the cache they go into."""

import datetime as dt
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from isoline.routing import ir
from isoline.xds import secrets
from isoline.xds.cache import Cache
from isoline.xds.filters.table import used_by
from isoline.xds.own_chains import own_chain
from isoline.xds.render import render_endpoints, render_gateway, render_site
from isoline.xds.resources import Name, Resource

EVERYTHING = ir.Match(path=ir.PathMatch(kind=ir.PathKind.PREFIX, value="/"))


def prefix(value: str) -> ir.Match:
    return ir.Match(path=ir.PathMatch(kind=ir.PathKind.PREFIX, value=value))


def respond(body: str, *, match: ir.Match = EVERYTHING, name: str = "all", status: int = 200) -> ir.Route:
    return ir.Route(name=name, match=match, action=ir.Respond(status=status, body=body))


def forward(*clusters: str, match: ir.Match = EVERYTHING, name: str = "all", websocket: bool = False) -> ir.Route:
    shares = tuple(ir.Share(cluster=cluster, weight=1) for cluster in clusters)
    return ir.Route(name=name, match=match, action=ir.Forward(shares=shares, websocket=websocket, timeout=ir.NEVER))


TO_HTTPS = ir.Route(name="https", match=EVERYTHING, action=ir.HttpsRedirect())


def cluster(service: str, variant: str = "a") -> ir.Cluster:
    return ir.Cluster(name=f"default/{service}/http/{variant}", endpoints=f"default/{service}/http")


def endpoints(service: str, *ports: int) -> ir.Endpoints:
    return ir.Endpoints(
        name=f"default/{service}/http",
        endpoints=tuple(ir.Endpoint(address="127.0.0.1", port=port) for port in ports),
    )


def certificate(name: str, *hosts: str) -> ir.Certificate:
    """A self-signed certificate for `hosts`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return ir.Certificate(
        name=name,
        chain=built.public_bytes(serialization.Encoding.PEM),
        key=ir.PrivateBytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        ),
    )


class World:
    """IR in, cache out, as the gateway does it, one site at a time."""

    def __init__(self, gateway: ir.Gateway) -> None:
        self.cache = Cache()
        self.gateway = gateway
        self._sites: dict[str, ir.Site] = {}
        self._rendered: dict[str, list[Resource]] = {}
        self._used: frozenset[str] = frozenset()
        self.listen()

    def listen(self) -> None:
        """Renders the gateway."""
        sites = self._sites.values()
        chains = {site.host: own_chain(site.chain) for site in sites if site.chain is not None}
        certificate = next((site.fallback for site in sites if site.fallback), "")
        known = tuple(sorted(site.host for site in sites if site.tls is not None or site.own_chain))
        fallback = ir.Fallback(certificate=certificate, known=known) if certificate else None
        self._used = self._used.union(*(used_by(site) for site in sites))
        http3 = [site.http3_chain for site in sites if site.http3_chain is not None]
        self.cache.update(render_gateway(self.gateway, chains, fallback=fallback, used=self._used, http3=http3))

    def rendered(self, site: ir.Site) -> list[Resource]:
        """What `put` would put, for a test that puts several in one step."""
        return render_site(site, self.gateway)

    def put(self, *sites: ir.Site) -> None:
        """Puts sites, and removes what their last versions had and nobody else has."""
        before = [self._sites[site.host] for site in sites if site.host in self._sites]
        for site in sites:
            self._sites[site.host] = site
            self._replace(site.host, render_site(site, self.gateway))
        concerned = (*before, *sites)
        if any(site.own_chain or site.http3 or site.fallback or used_by(site) for site in concerned):
            self.listen()

    def remove(self, host: str) -> None:
        site = self._sites.pop(host)
        self._replace(host, [])
        if site.own_chain or site.wildcard:
            self.listen()

    def put_endpoints(self, *sources: ir.Endpoints) -> None:
        self.cache.update(render_endpoints(source) for source in sources)

    def put_certificate(self, source: ir.Certificate, hosts: Iterable[str] = ()) -> None:
        """Puts a certificate under its own name, for chains that name it, and under the hosts of the shared chain."""
        body = secrets.body(source)
        self.cache.update(secrets.secret(name, body) for name in (source.name, *hosts))

    def _replace(self, host: str, rendered: list[Resource]) -> None:
        before = self._rendered.pop(host, [])
        kept = {each.name for other in self._rendered.values() for each in other} if before else set[Name]()
        self._rendered[host] = rendered
        kept.update(each.name for each in rendered)
        self.cache.update(rendered, [each.name for each in before if each.name not in kept])
