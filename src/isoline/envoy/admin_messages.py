"""What Envoy's admin interface answers, and the parsing of it; pure."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

State = Literal["LIVE", "DRAINING", "PRE_INITIALIZING", "INITIALIZING"]


class ServerInfo(Struct, frozen=True, kw_only=True):
    """`/server_info`."""

    version: str
    """Such as `1.40.0`."""
    state: State
    uptime: float
    """Seconds since this process started."""
    epoch: int
    """How many hot restarts came before it."""
    concurrency: int


class EndpointStatus(Struct, frozen=True, kw_only=True):
    """One endpoint of a cluster in `/clusters`."""

    address: str
    """`host:port`, or the path of a unix socket."""
    healthy: bool
    """Whether requests are sent to it while there are healthy ones."""
    flags: tuple[str, ...]
    """Why not, in Envoy's words, such as `failed_active_health_check`; empty when nothing is wrong."""
    weight: int
    active_requests: int


class ClusterStatus(Struct, frozen=True, kw_only=True):
    """One cluster in `/clusters`."""

    name: str
    endpoints: tuple[EndpointStatus, ...]


class ListenerStatus(Struct, frozen=True, kw_only=True):
    """One listener in `/listeners`."""

    name: str
    addresses: tuple[str, ...]


class Certificate(Struct, frozen=True, kw_only=True):
    """One certificate in `/certs`."""

    serial_number: str
    dns_names: tuple[str, ...]
    valid_from: datetime
    expires: datetime


# Conditions of an endpoint that only tell of its state, and do not keep requests from it.
_HARMLESS_FLAGS = frozenset({"pending_dynamic_removal", "active_hc_timeout"})


def server_info(answer: bytes) -> ServerInfo:
    """Parse `/server_info`."""
    document = msgspec.json.decode(answer)
    options = document["command_line_options"]
    return ServerInfo(
        # commit/version/Clean/RELEASE/BoringSSL
        version=document["version"].split("/")[1],
        state=document["state"],
        uptime=float(document["uptime_current_epoch"].removesuffix("s")),
        epoch=options.get("restart_epoch", 0),
        concurrency=options["concurrency"],
    )


def clusters(answer: bytes) -> list[ClusterStatus]:
    """Parse `/clusters?format=json`."""
    return [
        ClusterStatus(
            name=cluster["name"], endpoints=tuple(_endpoint(host) for host in cluster.get("host_statuses", []))
        )
        for cluster in msgspec.json.decode(answer).get("cluster_statuses", [])
    ]


def _endpoint(host: dict[str, Any]) -> EndpointStatus:
    health = host.get("health_status", {})
    flags = [name for name, value in health.items() if value is True]
    reported = health.get("eds_health_status", "HEALTHY")
    if reported not in ("HEALTHY", "UNKNOWN"):
        flags.append(f"eds_{reported.lower()}")
    stats = {stat["name"]: int(stat.get("value", 0)) for stat in host.get("stats", [])}
    return EndpointStatus(
        address=_address(host["address"]),
        healthy=not set(flags) - _HARMLESS_FLAGS,
        flags=tuple(flags),
        weight=host.get("weight", 1),
        active_requests=stats.get("rq_active", 0),
    )


def _address(address: dict[str, Any]) -> str:
    if "pipe" in address:
        return str(address["pipe"]["path"])
    socket = address["socket_address"]
    host = socket["address"]
    return f"[{host}]:{socket['port_value']}" if ":" in host else f"{host}:{socket['port_value']}"


def listeners(answer: bytes) -> list[ListenerStatus]:
    """Parse `/listeners?format=json`."""
    return [
        ListenerStatus(
            name=listener["name"],
            addresses=tuple(
                _address(address)
                for address in [listener["local_address"], *listener.get("additional_local_addresses", [])]
            ),
        )
        for listener in msgspec.json.decode(answer).get("listener_statuses", [])
    ]


def stats(answer: bytes) -> dict[str, int]:
    """Parse `/stats?format=json`; text readouts and histograms are left out."""
    return {
        stat["name"]: stat["value"]
        for stat in msgspec.json.decode(answer)["stats"]
        if isinstance(stat.get("value"), int)
    }


def open_streams(stats: dict[str, int]) -> int:
    """Requests that are being served, plus connections that carry something else than HTTP, of all listeners.

    An idle HTTP connection does not count: it may be closed at any time by either side. A WebSocket is a request.
    The admin interface's own are left out.
    """

    def total(prefix: str, suffix: str) -> int:
        return sum(
            value
            for name, value in stats.items()
            if name.startswith(prefix)
            and name.endswith(suffix)
            and not name.startswith(("http.admin.", "listener.admin."))
            # Workers' shares of a listener are counted in the listener already.
            and ".worker_" not in name
        )

    requests = total("http.", ".downstream_rq_active")
    others = total("listener.", ".downstream_cx_active") - total("http.", ".downstream_cx_active")
    return requests + max(0, others)


def certificates(answer: bytes) -> list[Certificate]:
    """Parse `/certs`."""
    return [
        Certificate(
            serial_number=chain["serial_number"],
            dns_names=tuple(name["dns"] for name in chain.get("subject_alt_names", []) if "dns" in name),
            valid_from=datetime.fromisoformat(chain["valid_from"]),
            expires=datetime.fromisoformat(chain["expiration_time"]),
        )
        for certificate in msgspec.json.decode(answer).get("certificates", [])
        for chain in certificate.get("cert_chain", [])
    ]
