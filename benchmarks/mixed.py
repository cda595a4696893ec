"""Ten thousand sites with all that sites usually ask for, beside ten thousand plain ones."""

import datetime as dt
from base64 import b64encode
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks import cold, manifests
from benchmarks.change import BATCH, ROOM, SAMPLES, as_dict, timed
from benchmarks.machine import resident_mib
from benchmarks.manifests import Manifest
from benchmarks.ports import free_port
from benchmarks.probe import Probe
from benchmarks.servers import backend_configuration, nginx
from benchmarks.stack import Stack

SITES = 10_000
OTHER = "other"


async def measure() -> dict[str, Any]:
    """Milliseconds from a change until it is served, seconds from nothing until all are, and MiB, of both sets, and
    how many times the plain one's the other's are."""
    port = free_port()
    with nginx(backend_configuration(port), port):
        plain = await _measured(port, mixed=False)
        mixed = await _measured(port, mixed=True)
    ratios = {
        "change": round(mixed["change"]["p50"] / plain["change"]["p50"], 2),
        "cold_start": round(mixed["cold_start_s"] / plain["cold_start_s"], 2),
        "control_plane": round(mixed["control_plane_mib"] / plain["control_plane_mib"], 2),
        "envoy": round(mixed["envoy_mib"] / plain["envoy_mib"], 2),
    }
    result = {"sites": SITES, "plain": plain, "mixed": mixed, "ratio": ratios}
    print(f"  mixed set: {result}", flush=True)
    return result


def mixed_site(number: int, *, version: str = "0") -> Manifest:
    """A site with TLS, CORS, headers, a rate limit, retries and two Services, served on plain HTTP as well."""
    site = manifests.site(number, version=version, tls=True)
    site["spec"]["virtualhost"] |= {
        "corsPolicy": {"allowOrigin": ["https://app.example"], "allowMethods": ["GET", "POST"], "maxAge": "10m"},
        "rateLimitPolicy": {"local": {"requests": 100_000, "unit": "second"}},
    }
    (route,) = site["spec"]["routes"]
    route |= {
        "permitInsecure": True,
        "services": [
            {"name": manifests.SERVICE, "port": 80, "weight": 90},
            {"name": OTHER, "port": 80, "weight": 10},
        ],
        "retryPolicy": {"count": 2, "perTryTimeout": "5s"},
        "requestHeadersPolicy": {"set": [{"name": "x-tenant", "value": f"t{number}"}], "remove": ["x-debug"]},
    }
    return site


async def _measured(port: int, *, mixed: bool) -> dict[str, Any]:
    make = mixed_site if mixed else manifests.site
    shared = [ROOM, _secret(), *manifests.backend(port), *manifests.backend(port, name=OTHER)]
    async with Stack() as stack:
        cold.write(stack, shared, make)
        cold_start = await cold.until_served(stack)
    async with Stack() as stack:
        stack.start()
        await stack.ready()
        await stack.apply(shared)
        for first in range(0, SITES, BATCH):
            await stack.apply(make(number) for number in range(first, first + BATCH))
        await Probe(stack.http_port).until(manifests.host(SITES - 1), "0", limit=120)

        async def change(number: int, version: str) -> None:
            await stack.apply_one(make(number, version=version))

        spread = await timed(stack.http_port, change, SITES, samples=SAMPLES)
        return {
            "change": as_dict(spread),
            "cold_start_s": round(cold_start, 2),
            "control_plane_mib": round(resident_mib(stack.pid)),
            "envoy_mib": round(resident_mib(stack.envoy_pid)),
        }


def _secret() -> Manifest:
    """One certificate for all of them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench.example")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("*.bench.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    data = {"tls.crt": certificate.public_bytes(serialization.Encoding.PEM), "tls.key": private}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": "bench-tls", "namespace": "default"},
        "data": {name: b64encode(value).decode() for name, value in data.items()},
    }
