"""The names of clusters: a hash of all that distinguishes them, so that two configurations never share one."""

import hashlib
from collections.abc import Iterable

import msgspec

from isoline.routing import ir
from isoline.routing.urls import Url, is_address

_encoder = msgspec.msgpack.Encoder()


def named(cluster: ir.Cluster, prefix: str) -> ir.Cluster:
    """Return the cluster with its name: `<prefix>/<hash of everything but the name>`."""
    unnamed = cluster if not cluster.name else msgspec.structs.replace(cluster, name="")
    digest = hashlib.blake2b(_encoder.encode(unnamed), digest_size=8).hexdigest()
    return msgspec.structs.replace(unnamed, name=f"{prefix}/{digest}")


def of_url(
    url: Url, prefix: str, *, family: ir.DnsFamily = ir.DnsFamily.AUTO, trust: ir.Trust | None = None
) -> ir.Cluster:
    """Return the cluster of the server that a URL names, `<prefix>/<host>/<port>/<hash>`."""
    return named(
        ir.Cluster(
            name="",
            endpoints="",
            dns=ir.Dns(hostname=url.host, port=url.port, family=family),
            protocol=ir.Upstream.TLS if url.secure else ir.Upstream.HTTP1,
            sni=url.host if url.secure and not is_address(url.host) else "",
            trust=trust,
        ),
        f"{prefix}/{url.host}/{url.port}",
    )


def named_by(routes: Iterable[ir.Route], tunnel: ir.Tunnel | None = None) -> list[str]:
    """Return the names of the clusters that routes and a tunnel lead to, each once, in the order in which they are
    named."""
    names: dict[str, None] = {}
    for route in routes:
        if isinstance(route.action, ir.Forward):
            names.update((share.cluster, None) for share in route.action.shares)
            if route.action.mirror is not None:
                names[route.action.mirror.cluster] = None
        if route.traffic is not None:
            names.update(dict.fromkeys(route.traffic.clusters))
    if tunnel is not None:
        names.update((share.cluster, None) for share in tunnel.shares)
    names.pop(ir.NO_CLUSTER, None)
    return list(names)
