"""A small world to render: sites, certificates, and the cache they go into."""

import datetime as dt
import ipaddress
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from isoline.gateway.renderer import Renderer
from isoline.routing import ir
from isoline.routing.update import Update
from isoline.xds import secrets
from isoline.xds.cache import Cache
from isoline.xds.render import render_site
from isoline.xds.resources import Resource

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
    """A self-signed certificate for `hosts`, names or addresses."""
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
        .add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
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


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class World:
    """IR in, cache out, by the gateway's renderer, one site at a time."""

    def __init__(self, gateway: ir.Gateway) -> None:
        self.cache = Cache()
        self.gateway = gateway
        self.hosts: set[str] = set()
        """Those of the sites that are there."""
        self._renderer = Renderer()
        self.listen()

    def listen(self) -> None:
        """Renders the gateway."""
        self._take(Update(gateway=self.gateway))

    def rendered(self, site: ir.Site) -> list[Resource]:
        """What `put` would put, for a test that puts several in one step."""
        return render_site(site, self.gateway)

    def put(self, *sites: ir.Site) -> None:
        """Puts sites, and removes what their last versions had and nobody else has."""
        self.hosts |= {site.host for site in sites}
        self._take(Update(sites={site.host: site for site in sites}))

    def remove(self, host: str) -> None:
        self.hosts.discard(host)
        self._take(Update(sites={host: None}))

    def put_endpoints(self, *sources: ir.Endpoints) -> None:
        self._take(Update(endpoints={source.name: source for source in sources}))

    def put_certificate(self, source: ir.Certificate, hosts: Iterable[str] = ()) -> None:
        """Puts a certificate for the sites that name it, and under its own name and these hosts whoever names it."""
        self._take(Update(certificates={source.name: source}))
        body = secrets.body(source)
        self.cache.update(secrets.secret(name, body) for name in (source.name, *hosts))

    def _take(self, update: Update) -> None:
        batch = self._renderer.render(update)
        self.cache.update(batch.put, batch.remove)
