"""A small world for compiling: manifests in, sites and statuses out."""

import base64
import datetime as dt
import functools
import textwrap
from collections.abc import Iterable

import msgspec
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from isoline.cluster.store import Store
from isoline.objects import HTTPProxy, Key, Object, ObjectMeta, Secret, SecretValue, Service
from isoline.objects.core import ServicePort, ServiceSpec
from isoline.objects.decoding import decode_documents
from isoline.objects.httpproxy_policies import HeadersPolicy
from isoline.routing import ir
from isoline.routing.compiler import Compiled, compile_site
from isoline.routing.indexes import INDEXES, host_of
from isoline.routing.settings import Settings
from isoline.routing.statuses import ProxyStatus
from isoline.routing.view import View

HOST = "voice.example.com"


def self_signed(
    host: str = HOST,
    *,
    key: CertificateIssuerPrivateKeyTypes | None = None,
    named: bool = True,
    alternative: bool = True,
    days: int = 3650,
) -> tuple[bytes, bytes]:
    """Return a certificate and its key, PEM, of an algorithm that browsers accept unless another key is given."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)] if named else [])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=days))
    )
    if alternative:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    certificate = builder.sign(key, algorithm).public_bytes(Encoding.PEM)
    return certificate, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@functools.cache
def pair() -> tuple[bytes, bytes]:
    """The one pair that tests share which need just any."""
    return self_signed()


def secret(name: str = "tls", namespace: str = "default", *, contents: tuple[bytes, bytes] | None = None) -> Secret:
    chain, key = contents or pair()
    return Secret(
        metadata=ObjectMeta(name=name, namespace=namespace),
        type="kubernetes.io/tls",
        data={"tls.crt": SecretValue(chain), "tls.key": SecretValue(key)},
    )


def service(name: str = "app", namespace: str = "default", *ports: ServicePort, **annotations: str) -> Service:
    return Service(
        metadata=ObjectMeta(name=name, namespace=namespace, annotations=annotations),
        spec=ServiceSpec(ports=ports or (ServicePort(port=80),)),
    )


def objects(text: str) -> list[Object]:
    """Return the manifests of a text. `CERTIFICATE` and `KEY` stand for the contents of the shared pair."""
    chain, key = (base64.b64encode(part).decode() for part in pair())
    decoded = decode_documents(textwrap.dedent(text).replace("CERTIFICATE", chain).replace("KEY", key))
    assert not decoded.errors, decoded.errors
    assert not decoded.warnings, decoded.warnings
    return decoded.objects


def proxy(spec: str, name: str = "voice", namespace: str = "default", metadata: str = "") -> HTTPProxy:
    """Return an HTTPProxy from the YAML of its spec, and of more metadata."""
    text = (
        f"apiVersion: projectcontour.io/v1\nkind: HTTPProxy\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
        + textwrap.indent(textwrap.dedent(metadata), "  ")
        + "\nspec:\n"
        + textwrap.indent(textwrap.dedent(spec), "  ")
    )
    (item,) = objects(text)
    assert isinstance(item, HTTPProxy)
    return item


def root(spec: str, name: str = "voice", namespace: str = "default", host: str = HOST) -> HTTPProxy:
    """Return a plain root for a host; `spec` is the rest."""
    return proxy(f"virtualhost: {{fqdn: {host!r}}}\n" + textwrap.dedent(spec), name, namespace)


def store_of(*items: Object) -> Store:
    store = Store(INDEXES)
    store.apply(items)
    return store


def compiled(*items: Object, host: str = HOST, settings: Settings | None = None) -> Compiled:
    """Compile one host in a world of these objects."""
    return compile_site(host, View(store_of(*items), settings or Settings()))


def site(*items: Object, host: str = HOST) -> ir.Site:
    """Compile a host that must be served without a word of complaint."""
    result = compiled(*items, host=host)
    assert result.site is not None, result.statuses
    assert all(status == ProxyStatus() for status in result.statuses.values()), result.statuses
    return result.site


def status_of(item: Object, *others: Object, settings: Settings | None = None) -> ProxyStatus:
    """Return the status that an HTTPProxy gets from the host that it claims."""
    assert isinstance(item, HTTPProxy)
    return compiled(item, *others, host=host_of(item), settings=settings).statuses[item.key]


def errors(status: ProxyStatus) -> list[tuple[str, str]]:
    """Return the types and reasons of the errors."""
    return [(error.type, error.reason) for error in status.errors]


def paths(routes: Iterable[ir.Route]) -> list[str]:
    return [route.match.path.value for route in routes]


def policy_of_headers(text: str) -> HeadersPolicy:
    """Return what a GatewayConfig says of headers, from its YAML."""
    return msgspec.convert(yaml.safe_load(text), HeadersPolicy)


def key_of(name: str, namespace: str = "default") -> Key:
    return Key("HTTPProxy", namespace, name)
