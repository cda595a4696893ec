"""Which sites have a filter chain besides the one that all others share, and which of them have it in common.

Hosts whose connections begin alike are on one chain: a thousand of them that trust the same authority cost Envoy as
much as one. Certificates of exact hosts come by the handshake's server name there, too.

Envoy can be sent filter chains one by one (`fcds_config`), but 1.40 fetches no secret for a chain that comes later and
lets go of a chain that connections still use; so all of them are in the listener, and as small as can be.
"""

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from isoline.routing import ir
from isoline.routing.ir.base import IR

_encoder = msgspec.msgpack.Encoder(enc_hook=bytes)


class OwnChain(IR, frozen=True, kw_only=True):
    """What a filter chain is made of; equal ones are one chain."""

    name: str
    """The hash of the rest; no host is called that."""
    tls: ir.Tls | None
    """Without what is the host's own: no certificate for exact hosts, and what certificates of clients are checked with
    only by name."""
    wildcard: bool = False
    tunnel: str = ""
    """The host whose connections are handed on; empty: what comes is HTTP."""

    @property
    def clients(self) -> str:
        """The hash of what certificates of clients are checked with; empty where nobody asks for one."""
        return "" if self.tls is None or self.tls.clients is None else clients_digest(self.tls.clients, "")


def own_chain(chain: ir.Chain) -> OwnChain:
    """Return the chain of a host that has not just what all others share."""
    wildcard = chain.host.startswith("*")
    tls = chain.tls
    if tls is not None:
        clients = None if tls.clients is None else _by_name(tls.clients, chain.host)
        tls = msgspec.structs.replace(tls, certificate=tls.certificate if wildcard else "", clients=clients)
    nameless = OwnChain(name="", tls=tls, wildcard=wildcard, tunnel="" if chain.tunnel is None else chain.host)
    return msgspec.structs.replace(nameless, name=f"chain/{_digest(nameless)}")


def by_host(chains: Mapping[str, OwnChain], gateway: ir.Gateway) -> dict[str, OwnChain | None]:
    """Return the chain of each host, sorted; None: the one that all others share will do."""
    return {host: None if _is_as_shared(chains[host], gateway) else chains[host] for host in sorted(chains)}


def clients_digest(clients: ir.ClientCertificates, host: str) -> str:
    """Return the hash of where that comes from what a host's certificates of clients are checked with."""
    known = _by_name(clients, host)
    return _digest(msgspec.structs.replace(known, optional=False, forward=None))


def _by_name(clients: ir.ClientCertificates, host: str) -> ir.ClientCertificates:
    return msgspec.structs.replace(clients, name=clients.name or host, authorities=b"", revocations=b"")


def _is_as_shared(own: OwnChain, gateway: ir.Gateway) -> bool:
    """An exact host that a wildcard's chain would take has to be named, but needs nothing of its own."""
    if own.tls is None or own.wildcard or own.tunnel or own.tls.clients is not None:
        return False
    versions = (own.tls.minimum or gateway.tls_minimum, own.tls.maximum or gateway.tls_maximum)
    return versions == (gateway.tls_minimum, gateway.tls_maximum)


def _digest(value: IR) -> str:
    return blake2b(_encoder.encode(value), digest_size=12).hexdigest()
