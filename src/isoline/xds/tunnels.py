"""Connections whose bytes are handed on as they are."""

from typing import Any

from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2

from isoline.routing import ir
from isoline.xds.access_logs import access_log
from isoline.xds.messages import duration, packed

IDLE_TIMEOUT = 9001.0
"""Seconds without a byte in either direction. HTTPProxy has no field for it; this is what its users are used to."""
_ATTEMPTS = 3
"""An endpoint that does not answer is no reason to close a connection that another one would take."""


def tunnel_filter(tunnel: ir.Tunnel, gateway: ir.Gateway) -> Any:
    """The network filter that hands a connection on. Without a share that exists Envoy closes it."""
    proxy = tcp_proxy_pb2.TcpProxy(stat_prefix="tunnel", idle_timeout=duration(IDLE_TIMEOUT))
    proxy.max_connect_attempts.value = _ATTEMPTS
    shares = [share for share in tunnel.shares if share.weight > 0]
    if len(shares) > 1:
        for share in shares:
            proxy.weighted_clusters.clusters.add(name=share.cluster, weight=share.weight)
    else:
        proxy.cluster = shares[0].cluster if shares else ir.NO_CLUSTER
    if gateway.access_log is not None:
        proxy.access_log.append(access_log(gateway.access_log))
    return components.Filter(name="envoy.filters.network.tcp_proxy", typed_config=packed(proxy))
