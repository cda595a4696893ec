"""Listeners and their filter chains."""

from collections.abc import Sequence
from functools import lru_cache

from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.listener.proxy_protocol.v3 import proxy_protocol_pb2
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from envoy.extensions.filters.network.connection_limit.v3 import connection_limit_pb2

from isoline.routing import ir
from isoline.xds import names, tls
from isoline.xds.chain_matching import by_server_name
from isoline.xds.clusters import BUFFER_BYTES
from isoline.xds.connection_managers import connection_manager
from isoline.xds.filters.place import Place
from isoline.xds.messages import duration, packed
from isoline.xds.tunnels import tunnel_filter

_HANDSHAKE_TIMEOUT = 10.0
# No host is called that, so that no site's chain is.
_SHARED_CHAIN = "*shared"
_FALLBACK_CHAIN = "*fallback"


def http_listener(
    address: ir.Listener, gateway: ir.Gateway, used: frozenset[str] = frozenset()
) -> listener_pb2.Listener:
    """Plain HTTP for every site."""
    listener = _listener(names.HTTP_LISTENER, address)
    listener.filter_chains.append(
        _http_chain(Place(gateway, "http", wildcard=False, used=used, upgrades_apart=True), name=_SHARED_CHAIN)
    )
    return listener


def https_listener(
    address: ir.Listener,
    gateway: ir.Gateway,
    chains: Sequence[ir.Chain],
    fallback: ir.Fallback | None,
    used: frozenset[str] = frozenset(),
) -> listener_pb2.Listener:
    """HTTPS: one chain for all sites, which never changes with them, one for each site that needs its own, and one for
    clients that name no known host where there is a fallback certificate.

    Envoy replaces chains one by one, so that a site's own chain drains that site's connections only.
    """
    listener = _listener(names.HTTPS_LISTENER, address)
    listener.listener_filters.add(
        name="envoy.filters.listener.tls_inspector", typed_config=packed(tls_inspector_pb2.TlsInspector())
    )
    listener.filter_chains.append(_shared_chain(gateway, used))
    listener.filter_chains.extend(_own_chain(chain, gateway, used) for chain in chains)
    own = [(chain.host, chain.host) for chain in chains]
    if fallback is not None:
        listener.filter_chains.append(_fallback_chain(fallback.certificate, gateway, used))
        known = {**dict.fromkeys(fallback.known, _SHARED_CHAIN), **dict(own)}
        listener.filter_chain_matcher.CopyFrom(by_server_name(known.items(), _FALLBACK_CHAIN))
    elif own:
        listener.filter_chain_matcher.CopyFrom(by_server_name(own, _SHARED_CHAIN))
    return listener


def _shared_chain(gateway: ir.Gateway, used: frozenset[str]) -> components.FilterChain:
    chain = _http_chain(Place(gateway, "https", wildcard=False, used=used, upgrades_apart=True), name=_SHARED_CHAIN)
    return _with_tls(chain, tls.shared(gateway))


def _fallback_chain(certificate: str, gateway: ir.Gateway, used: frozenset[str]) -> components.FilterChain:
    chain = _http_chain(Place(gateway, "fallback", wildcard=False, used=used), name=_FALLBACK_CHAIN)
    return _with_tls(chain, tls.fallback(certificate, gateway))


@lru_cache(maxsize=4096)
def _own_chain(source: ir.Chain, gateway: ir.Gateway, used: frozenset[str]) -> components.FilterChain:
    """A site's chain. Kept, as the listener is made anew with all of them when one comes or goes."""
    if source.tunnel is not None:
        chain = _chain(gateway, "https", source.host)
        chain.filters.append(tunnel_filter(source.tunnel, gateway))
    else:
        clients = None if source.tls is None else source.tls.clients
        place = Place(
            gateway,
            "https",
            wildcard=source.host.startswith("*"),
            used=used,
            forward=None if clients is None else clients.forward,
        )
        chain = _http_chain(place, name=source.host)
    return chain if source.tls is None else _with_tls(chain, tls.own(source, source.tls, gateway))


def _listener(name: str, address: ir.Listener) -> listener_pb2.Listener:
    listener = listener_pb2.Listener(name=name, stat_prefix=name)
    socket = listener.address.socket_address
    socket.address, socket.port_value = address.address, address.port
    listener.per_connection_buffer_limit_bytes.value = BUFFER_BYTES
    for further in address.more_addresses:
        socket = listener.additional_addresses.add().address.socket_address
        socket.address, socket.port_value = further, address.port
    if address.proxy_protocol:
        # Before anything looks at the bytes of the connection itself.
        listener.listener_filters.add(
            name="envoy.filters.listener.proxy_protocol", typed_config=packed(proxy_protocol_pb2.ProxyProtocol())
        )
    return listener


def _chain(gateway: ir.Gateway, scheme: names.Scheme, name: str) -> components.FilterChain:
    chain = components.FilterChain(name=name)
    if gateway.max_connections is not None:
        limit = connection_limit_pb2.ConnectionLimit(stat_prefix=scheme)
        limit.max_connections.value = gateway.max_connections
        chain.filters.add(name="envoy.filters.network.connection_limit", typed_config=packed(limit))
    return chain


def _http_chain(place: Place, *, name: str) -> components.FilterChain:
    chain = _chain(place.gateway, place.scheme, name)
    chain.filters.add(
        name="envoy.filters.network.http_connection_manager", typed_config=packed(connection_manager(place))
    )
    return chain


def _with_tls(chain: components.FilterChain, socket: object) -> components.FilterChain:
    chain.transport_socket.CopyFrom(socket)
    chain.transport_socket_connect_timeout.CopyFrom(duration(_HANDSHAKE_TIMEOUT))
    return chain
