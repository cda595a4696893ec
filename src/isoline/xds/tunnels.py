"""Connections whose bytes are handed on as they are."""

from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2

from isoline.routing import ir
from isoline.xds import names, types
from isoline.xds.access_logs import access_log
from isoline.xds.messages import as_resource, duration, extension
from isoline.xds.resources import Name, Resource

IDLE_TIMEOUT = 9001.0
"""Seconds without a byte in either direction. HTTPProxy has no field for it; this is what its users are used to."""
_ATTEMPTS = 3
"""An endpoint that does not answer is no reason to close a connection that another one would take."""


def tunnel(host: str, source: ir.Tunnel, gateway: ir.Gateway) -> Resource:
    """Where a host's connections are handed on to: an extension of its own, so that only that waits for its clusters,
    and a change of it is for new connections. Without a share that exists Envoy closes them.
    """
    proxy = tcp_proxy_pb2.TcpProxy(stat_prefix="tunnel", idle_timeout=duration(IDLE_TIMEOUT))
    proxy.max_connect_attempts.value = _ATTEMPTS
    shares = [share for share in source.shares if share.weight > 0]
    if len(shares) > 1:
        for share in shares:
            proxy.weighted_clusters.clusters.add(name=share.cluster, weight=share.weight)
    else:
        proxy.cluster = shares[0].cluster if shares else ir.NO_CLUSTER
    if gateway.access_log is not None:
        proxy.access_log.append(access_log(gateway.access_log))
    used = dict.fromkeys(share.cluster for share in shares if share.cluster != ir.NO_CLUSTER)
    needs = tuple(Name(types.CLUSTER, cluster) for cluster in used)
    name = names.tunnel(host)
    return as_resource(types.EXTENSION, name, extension(name, proxy), needs=needs)
