"""Connection managers that filter chains have in common, as extensions of their own: a chain names its manager, so that
a listener with thousands of chains stays small, and is compared and taken in quickly.

They are named by the hash of their content: a chain with another one is another chain, whose connections are drained.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

from envoy.config.listener.v3 import listener_components_pb2 as components

from isoline.routing import ir
from isoline.xds import types
from isoline.xds.connection_managers import connection_manager
from isoline.xds.filters.place import Place
from isoline.xds.messages import ads, as_resource, extension, packed
from isoline.xds.own_chains import OwnChain
from isoline.xds.resources import Name, Resource

_HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_TCP = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"


class Manner(NamedTuple):
    """In what the HTTP of filter chains differs."""

    wildcard: bool
    forward: ir.ForwardedCertificate | None

    @classmethod
    def of(cls, chain: OwnChain) -> "Manner":
        clients = None if chain.tls is None else chain.tls.clients
        return cls(chain.wildcard, None if clients is None else clients.forward)


def managers_of(
    chains: Iterable[OwnChain], gateway: ir.Gateway, used: frozenset[str], needs: tuple[Name, ...] = ()
) -> dict[Manner, Resource]:
    """Return the connection managers of those chains that speak HTTP."""
    manners = dict.fromkeys(Manner.of(chain) for chain in chains if not chain.tunnel)
    return {manner: _manager(manner, gateway, used, needs) for manner in manners}


def by_name(extension_name: str, *, tunnel: bool) -> components.Filter:
    """The filter whose configuration is the extension of that name."""
    message = components.Filter(name=extension_name)
    message.config_discovery.config_source.CopyFrom(ads())
    message.config_discovery.type_urls.append(_TCP if tunnel else _HTTP)
    return message


def _manager(manner: Manner, gateway: ir.Gateway, used: frozenset[str], needs: tuple[Name, ...]) -> Resource:
    place = Place(gateway, "https", wildcard=manner.wildcard, used=used, forward=manner.forward)
    config = packed(connection_manager(place))
    name = f"connection-manager/{blake2b(config.value, digest_size=12).hexdigest()}"
    return as_resource(types.EXTENSION, name, extension(name, config), needs=needs)
