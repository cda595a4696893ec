"""The configuration that an Envoy starts with; everything else reaches it over xDS.

Edge settings follow Envoy's documentation, "Configuring Envoy as an edge proxy".
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

XDS_CLUSTER = "xds"
"""The cluster of the control plane, for config sources that do not go over the aggregated stream."""

_TYPE = "type.googleapis.com/"
_HEAP = "envoy.resource_monitors.fixed_heap"
_CONNECTIONS = "envoy.resource_monitors.global_downstream_max_connections"


@dataclass(frozen=True, kw_only=True)
class BootstrapSettings:
    """What differs from one Envoy to another."""

    node_id: str
    node_cluster: str = "isoline"
    xds_socket: Path
    """The unix socket of the control plane's xDS server."""
    max_heap_bytes: int = 2 * 1024**3
    """Where Envoy begins to refuse work rather than be killed for want of memory; the default is the edge guide's."""
    max_connections: int = 50_000
    """Downstream connections open at a time; the default is the edge guide's."""


def bootstrap(settings: BootstrapSettings, *, admin_socket: Path, xds_socket: Path) -> dict[str, Any]:
    """The bootstrap as Envoy's JSON.

    The sockets are given apart from the settings, relative to the folder that Envoy runs in: a socket's address holds
    107 bytes, and a state folder may be deeper than that.
    """
    return assemble(
        node={"id": settings.node_id, "cluster": settings.node_cluster},
        admin=pipe(admin_socket),
        xds_cluster=xds_cluster(pipe(xds_socket), type="STATIC"),
        max_heap_bytes=settings.max_heap_bytes,
        max_connections=settings.max_connections,
    )


def pipe(path: Path) -> dict[str, Any]:
    """The address of a unix socket."""
    return {"pipe": {"path": str(path)}}


def assemble(
    *,
    node: dict[str, str],
    admin: dict[str, Any],
    xds_cluster: dict[str, Any],
    max_heap_bytes: int,
    max_connections: int,
) -> dict[str, Any]:
    """The bootstrap of any of our Envoys: who it is, where it is asked, and how it finds its control plane."""
    if "pipe" in admin:
        admin = {"pipe": {**admin["pipe"], "mode": 0o600}}
    return {
        "node": node,
        # A flood of clients must not shut the operator out.
        "admin": {"address": admin, "ignore_global_conn_limit": True},
        "dynamic_resources": _dynamic_resources(),
        "static_resources": {"clusters": [xds_cluster]},
        "overload_manager": _overload_manager(max_heap_bytes, max_connections),
        "layered_runtime": _layered_runtime(),
        "default_regex_engine": _extension(
            "envoy.regex_engines.google_re2", "envoy.extensions.regex_engines.v3.GoogleRE2", {}
        ),
        "typed_dns_resolver_config": _dns(),
        **_stats(),
    }


def _extension(name: str, message: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": _TYPE + message, **fields}}


def _dynamic_resources() -> dict[str, Any]:
    source = {
        "resource_api_version": "V3",
        "ads": {},
        # No time-out: an Envoy without listeners must not declare itself ready, nor take over from one that has them.
        "initial_fetch_timeout": "0s",
    }
    return {
        "ads_config": {
            "api_type": "DELTA_GRPC",
            "transport_api_version": "V3",
            "set_node_on_first_message_only": True,
            "grpc_services": [
                {
                    "envoy_grpc": {
                        "cluster_name": XDS_CLUSTER,
                        # The default goes up to 30 s: a control plane that comes back is to be found at once.
                        "retry_policy": {"retry_back_off": {"base_interval": "0.050s", "max_interval": "0.500s"}},
                    }
                }
            ],
        },
        "cds_config": source,
        "lds_config": source,
    }


def xds_cluster(address: dict[str, Any], *, type: str, **more: Any) -> dict[str, Any]:  # noqa: A002 - Envoy's word
    """The cluster of a control plane at an address; `more` is what else there is to say of the cluster."""
    endpoint = {"endpoint": {"address": address}}
    return {
        "name": XDS_CLUSTER,
        "type": type,
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": XDS_CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
        # Each subscription outside the aggregated stream is a request that never ends; 1 024 is soon reached.
        "circuit_breakers": {"thresholds": [{"max_requests": 1_000_000, "max_pending_requests": 1_000_000}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {
                    # A control plane that hangs is told from one that has nothing to say.
                    "http2_protocol_options": {"connection_keepalive": {"interval": "30s", "timeout": "10s"}}
                },
            }
        },
        **more,
    }


def _overload_manager(max_heap_bytes: int, max_connections: int) -> dict[str, Any]:
    def at(name: str, share: float) -> dict[str, Any]:
        return {"name": name, "triggers": [{"name": _HEAP, "threshold": {"value": share}}]}

    return {
        "refresh_interval": "0.250s",
        "resource_monitors": [
            _extension(
                _HEAP,
                "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
                # A decimal string, as JSON has 64-bit integers in protobuf's mapping.
                {"max_heap_size_bytes": str(max_heap_bytes)},
            ),
            _extension(
                _CONNECTIONS,
                "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                {"max_active_downstream_connections": str(max_connections)},
            ),
        ],
        "actions": [
            at("envoy.overload_actions.disable_http_keepalive", 0.92),
            at("envoy.overload_actions.shrink_heap", 0.95),
            at("envoy.overload_actions.stop_accepting_requests", 0.98),
        ],
        "loadshed_points": [at("envoy.load_shed_points.tcp_listener_accept", 0.97)],
    }


def _layered_runtime() -> dict[str, Any]:
    return {
        "layers": [
            {
                "name": "static",
                # Envoy refuses regular expressions of more than 100 instructions otherwise.
                "static_layer": {
                    "re2.max_program_size.error_level": 1_048_576,
                    "re2.max_program_size.warn_level": 1_000,
                },
            },
            {"name": "admin", "admin_layer": {}},
        ]
    }


def _dns() -> dict[str, Any]:
    return _extension(
        "envoy.network.dns_resolver.cares",
        "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
        # No AAAA questions on a machine without IPv6; and a new port now and then, as some NATs forget a busy one.
        {"filter_unroutable_families": True, "udp_max_queries": 100},
    )


def _stats() -> dict[str, Any]:
    return {
        # Nothing is pushed anywhere; the timer would walk all stats every 5 s for nothing.
        "stats_flush_on_admin": True,
        # Most sites are idle most of the time: 100 MB less at 5 000 clusters, and half the time to take them in.
        "deferred_stat_options": {"enable_deferred_creation_stats": True},
        "stats_config": {
            "stats_matcher": {
                "exclusion_list": {
                    # Some ten of each for each site and each certificate; what they tell is in the statuses.
                    "patterns": [
                        {"prefix": "sds."},
                        {"contains": ".on_demand_secret.ssl.certificate."},
                        {"safe_regex": {"regex": r"http\..*\.(rds|scoped_rds)\..*"}},
                    ]
                }
            }
        },
    }
