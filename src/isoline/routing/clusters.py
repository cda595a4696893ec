"""The names of clusters: a hash of all that distinguishes them, so that two configurations never share one."""

import hashlib

import msgspec

from isoline.routing import ir

_encoder = msgspec.msgpack.Encoder()


def named(cluster: ir.Cluster, prefix: str) -> ir.Cluster:
    """Return the cluster with its name: `<prefix>/<hash of everything but the name>`."""
    unnamed = cluster if not cluster.name else msgspec.structs.replace(cluster, name="")
    digest = hashlib.blake2b(_encoder.encode(unnamed), digest_size=8).hexdigest()
    return msgspec.structs.replace(unnamed, name=f"{prefix}/{digest}")
