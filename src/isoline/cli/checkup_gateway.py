"""The check-up of what runs: listeners, manifests, certificates, names, and a handshake for each host."""

import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from isoline.cli.checkup import Finding, bad, good, mind
from isoline.console.wire import CertificateRecord, Summary

SECONDS = 3.0
MOST_TOLD = 20
DAY = 86400.0


def listeners(summary: Summary) -> Iterator[Finding]:
    for scheme, port in (("http", summary.http_port), ("https", summary.https_port)):
        if port is None:
            continue
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS):
                yield good("ports", f"{scheme} answers on {port}")
        except OSError as error:
            yield bad(
                "ports",
                f"{scheme} does not answer on {port}: {error.strerror or error}",
                "`isoline get -A` and the events of `isoline up` say why",
            )


def problems(found: Sequence[str]) -> Iterator[Finding]:
    for problem in found[:MOST_TOLD]:
        yield bad("manifests", problem, "`isoline check DIR` tells everything at once")
    if not found:
        yield good("manifests", "nothing wrong")


def apps(items: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """`items` are Apps as plain JSON."""
    ready = 0
    for item in items:
        name, status = item["metadata"]["name"], item.get("status", {})
        phase = status.get("phase") or "Pending"
        if phase == "Ready":
            ready += 1
            continue
        lacking = [each["message"] for each in status.get("conditions", ()) if each["status"] == "False"]
        told = f"{name} is {phase.lower()}" + (f": {'; '.join(lacking)}" if lacking else "")
        advice = f"`isoline describe app {name} -n {item['metadata']['namespace']}` and `isoline logs` say more"
        yield (bad if phase == "Failed" else mind)("apps", told, advice)
    if ready:
        yield good("apps", f"{ready} ready")


def certificates(records: Sequence[CertificateRecord], *, now: float | None = None) -> Iterator[Finding]:
    now = time.time() if now is None else now
    sound = 0
    for record in records:
        names = ", ".join(record.names)
        end = datetime.fromtimestamp(record.not_after, UTC)
        if record.not_after <= now:
            yield bad(
                "certificates",
                f"{record.secret} for {names} expired on {end:%Y-%m-%d}",
                "put a new one into the Secret",
            )
        elif record.not_before > now:
            yield bad("certificates", f"{record.secret} for {names} is not valid yet", "look at the clock, or wait")
        elif record.not_after - now < min(14 * DAY, (record.not_after - record.not_before) / 6):
            yield mind(
                "certificates",
                f"{record.secret} for {names} ends on {end:%Y-%m-%d}",
                "it should have been renewed by now",
            )
        else:
            sound += 1
    if sound:
        yield good("certificates", f"{sound} in order")


def names(hosts: Sequence[str], port: int) -> Iterator[Finding]:
    for host in hosts[:MOST_TOLD]:
        if host.startswith("*."):
            continue
        try:
            addresses = sorted({str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
        except OSError:
            resolve = f"curl takes --resolve {host}:{port}:127.0.0.1"
            if host.endswith(".localhost"):
                yield good("dns", f"{host} is this machine to browsers; other programs may need it in /etc/hosts")
            else:
                yield mind(
                    "dns", f"{host} has no address", f"make a DNS record for it, or put it into /etc/hosts; {resolve}"
                )
            continue
        told = f"{host} is {', '.join(addresses)}"
        if any(map(_is_here, addresses)):
            yield good("dns", told)
        else:
            yield mind(
                "dns",
                f"{told}, which is not this machine",
                "as it should be behind a load balancer or NAT; else change the record",
            )


def handshakes(hosts: Sequence[str], port: int, authority: Path) -> Iterator[Finding]:
    """A handshake as a client makes it that trusts the system's authorities and the local one."""
    context = ssl.create_default_context()
    if authority.exists():
        context.load_verify_locations(authority)
    for host in hosts[:MOST_TOLD]:
        name = host.replace("*", "isoline-doctor", 1)
        try:
            with (
                socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection,
                context.wrap_socket(connection, server_hostname=name),
            ):
                yield good("tls", f"{host} shows a certificate that holds")
        except ssl.SSLCertVerificationError as error:
            yield mind(
                "tls", f"{host}: {error.verify_message}", "`isoline describe` of the object shows its certificate"
            )
        except OSError as error:
            yield bad(
                "tls",
                f"{host}: no handshake: {error.strerror or error}",
                "`isoline describe httpproxy` shows what is wrong with it",
            )


def _is_here(address: str) -> bool:
    """Whether an address belongs to this machine: only then can a socket be bound to it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
