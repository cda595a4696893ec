"""HTTP/3: a listener on UDP, with a filter chain for each host that is served over it.

Envoy takes certificates on demand for TCP only, so that each chain names its certificate. A chain that comes or goes is
put in or taken out in place: connections to other hosts go on.
"""

from collections.abc import Sequence
from functools import lru_cache

from envoy.config.core.v3 import address_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from envoy.extensions.transport_sockets.quic.v3 import quic_transport_pb2

from isoline.routing import ir
from isoline.xds import names, tls
from isoline.xds.connection_managers import connection_manager
from isoline.xds.filters.place import Place
from isoline.xds.messages import packed


def http3_listener(
    address: ir.Listener, gateway: ir.Gateway, chains: Sequence[ir.Chain], used: frozenset[str]
) -> listener_pb2.Listener:
    """HTTP/3 for the hosts of these chains, one or more, on the UDP port that has the number of HTTPS's."""
    listener = listener_pb2.Listener(name=names.HTTP3_LISTENER, stat_prefix=names.HTTP3_LISTENER)
    listener.udp_listener_config.quic_options.SetInParent()
    listener.udp_listener_config.downstream_socket_config.prefer_gro.value = True
    listener.address.CopyFrom(_address(address.address, address.port))
    for further in address.more_addresses:
        listener.additional_addresses.add().address.CopyFrom(_address(further, address.port))
    listener.filter_chains.extend(_chain(chain, gateway, used) for chain in chains)
    return listener


def _address(address: str, port: int) -> address_pb2.Address:
    message = address_pb2.Address()
    message.socket_address.protocol = address_pb2.SocketAddress.UDP
    message.socket_address.address, message.socket_address.port_value = address, port
    return message


@lru_cache(maxsize=1024)
def _chain(source: ir.Chain, gateway: ir.Gateway, used: frozenset[str]) -> components.FilterChain:
    assert source.tls is not None, "a host without TLS has no HTTP/3"
    manager = connection_manager(Place(gateway, "https", wildcard=source.host.startswith("*"), used=used))
    manager.codec_type = hcm.HttpConnectionManager.HTTP3
    manager.http3_protocol_options.allow_extended_connect = True
    chain = components.FilterChain(name=source.host)
    chain.filter_chain_match.server_names.append(source.host)
    chain.filters.add(name="envoy.filters.network.http_connection_manager", typed_config=packed(manager))
    transport = quic_transport_pb2.QuicDownstreamTransport(
        downstream_tls_context=tls.http3_context(source.tls.certificate)
    )
    chain.transport_socket.name = "envoy.transport_sockets.quic"
    chain.transport_socket.typed_config.CopyFrom(packed(transport))
    return chain
