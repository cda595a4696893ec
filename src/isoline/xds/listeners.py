"""Listeners and their filter chains."""

from collections.abc import Mapping
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
from isoline.xds.managers import Manner, by_name
from isoline.xds.messages import duration, packed
from isoline.xds.own_chains import OwnChain

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
    hosts: Mapping[str, OwnChain | None],
    managers: Mapping[Manner, str],
    fallback: ir.Fallback | None = None,
    used: frozenset[str] = frozenset(),
) -> listener_pb2.Listener:
    """HTTPS: one chain for all sites, which never changes with them, those of sites that need their own, and one for
    clients that name no known host where there is a fallback certificate.

    `hosts` are those that are to be told apart, with their chains; `managers` the names of the chains' extensions.
    Envoy replaces chains one by one, so that a chain drains the connections of its sites only.
    """
    listener = _listener(names.HTTPS_LISTENER, address)
    listener.listener_filters.add(
        name="envoy.filters.listener.tls_inspector", typed_config=packed(tls_inspector_pb2.TlsInspector())
    )
    listener.filter_chains.append(_shared_chain(gateway, used))
    for own in dict.fromkeys(own for own in hosts.values() if own is not None):
        extension = names.tunnel(own.tunnel) if own.tunnel else managers[Manner.of(own)]
        listener.filter_chains.append(_own_chain(own, extension, gateway))
    named = {host: _SHARED_CHAIN if own is None else own.name for host, own in hosts.items()}
    if fallback is not None:
        listener.filter_chains.append(_fallback_chain(fallback.certificate, gateway, used))
        known = {**dict.fromkeys(fallback.known, _SHARED_CHAIN), **named}
        listener.filter_chain_matcher.CopyFrom(by_server_name(known.items(), _FALLBACK_CHAIN))
    elif named:
        listener.filter_chain_matcher.CopyFrom(by_server_name(named.items(), _SHARED_CHAIN))
    return listener


def _shared_chain(gateway: ir.Gateway, used: frozenset[str]) -> components.FilterChain:
    chain = _http_chain(Place(gateway, "https", wildcard=False, used=used, upgrades_apart=True), name=_SHARED_CHAIN)
    return _with_tls(chain, tls.shared(gateway))


def _fallback_chain(certificate: str, gateway: ir.Gateway, used: frozenset[str]) -> components.FilterChain:
    chain = _http_chain(Place(gateway, "fallback", wildcard=False, used=used), name=_FALLBACK_CHAIN)
    return _with_tls(chain, tls.fallback(certificate, gateway))


@lru_cache(maxsize=16384)
def _own_chain(own: OwnChain, extension: str, gateway: ir.Gateway) -> components.FilterChain:
    """A chain of some sites' own. Kept, as the listener is made anew with all of them when one comes or goes."""
    chain = _chain(gateway, "https", own.name)
    chain.filters.append(by_name(extension, tunnel=bool(own.tunnel)))
    return chain if own.tls is None else _with_tls(chain, tls.own(own, own.tls, gateway))


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
