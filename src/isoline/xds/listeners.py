"""Listeners and their filter chains."""

from collections.abc import Iterable

from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from envoy.extensions.filters.network.connection_limit.v3 import connection_limit_pb2

from isoline.routing import ir
from isoline.xds import names, tls
from isoline.xds.clusters import BUFFER_BYTES
from isoline.xds.connection_managers import connection_manager
from isoline.xds.filters.place import Place
from isoline.xds.messages import duration, packed

_HANDSHAKE_TIMEOUT = 10.0
_SHARED_CHAIN = "shared"


def http_listener(address: ir.Listener, gateway: ir.Gateway) -> listener_pb2.Listener:
    """Plain HTTP for every site."""
    listener = _listener(names.HTTP_LISTENER, address)
    listener.filter_chains.append(_chain(Place(gateway, "http", wildcard=False), name=_SHARED_CHAIN))
    return listener


def https_listener(address: ir.Listener, gateway: ir.Gateway, own_chains: Iterable[ir.Site]) -> listener_pb2.Listener:
    """HTTPS: one chain for all sites, which never changes with them, and one for each site that needs its own.

    Envoy replaces chains one by one, so that a site's own chain drains that site's connections only.
    """
    listener = _listener(names.HTTPS_LISTENER, address)
    listener.listener_filters.add(
        name="envoy.filters.listener.tls_inspector", typed_config=packed(tls_inspector_pb2.TlsInspector())
    )
    shared = _chain(Place(gateway, "https", wildcard=False), name=_SHARED_CHAIN)
    shared.transport_socket.CopyFrom(tls.shared(gateway))
    listener.filter_chains.append(shared)
    listener.filter_chains.extend(
        _own_chain(site.host, site.tls, gateway)
        for site in sorted(own_chains, key=lambda site: site.host)
        if site.tls is not None
    )
    for chain in listener.filter_chains:
        chain.transport_socket_connect_timeout.CopyFrom(duration(_HANDSHAKE_TIMEOUT))
    return listener


def _own_chain(host: str, parameters: ir.Tls, gateway: ir.Gateway) -> components.FilterChain:
    chain = _chain(Place(gateway, "https", wildcard=host.startswith("*")), name=host)
    chain.filter_chain_match.server_names.append(host)
    chain.transport_socket.CopyFrom(tls.own(parameters, gateway))
    return chain


def _listener(name: str, address: ir.Listener) -> listener_pb2.Listener:
    listener = listener_pb2.Listener(name=name, stat_prefix=name)
    socket = listener.address.socket_address
    socket.address, socket.port_value = address.address, address.port
    listener.per_connection_buffer_limit_bytes.value = BUFFER_BYTES
    return listener


def _chain(place: Place, *, name: str) -> components.FilterChain:
    chain = components.FilterChain(name=name)
    if place.gateway.max_connections is not None:
        limit = connection_limit_pb2.ConnectionLimit(stat_prefix=place.scheme)
        limit.max_connections.value = place.gateway.max_connections
        chain.filters.add(name="envoy.filters.network.connection_limit", typed_config=packed(limit))
    chain.filters.add(
        name="envoy.filters.network.http_connection_manager", typed_config=packed(connection_manager(place))
    )
    return chain
