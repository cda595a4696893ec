"""The flags of `isoline control-plane`, by what they are about. What they mean is in `control_plane_flags`."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

from typer import Option

from isoline.cli.options import LogFormat

Group = TypeVar("Group")
HIDDEN = "Contour's."


class AccessLogFormat(StrEnum):
    """Contour's names for the forms of an access log line."""

    envoy = "envoy"
    json = "json"


CaFile = Annotated[
    Path | None,
    Option("--xds-ca-file", "--contour-cafile", envvar="CONTOUR_CAFILE", help="CA of the Envoys' certificates, PEM."),
]
CertFile = Annotated[
    Path | None,
    Option("--xds-cert-file", "--contour-cert-file", envvar="CONTOUR_CERT_FILE", help="Our certificate, PEM."),
]
KeyFile = Annotated[
    Path | None, Option("--xds-key-file", "--contour-key-file", envvar="CONTOUR_KEY_FILE", help="Its key, PEM.")
]


@dataclass(frozen=True, kw_only=True)
class ClusterFlags:
    """Which cluster is served, and what of it."""

    kubeconfig: Annotated[Path | None, Option(help="Kubeconfig of the cluster; KUBECONFIG by default.")] = None
    context: Annotated[str | None, Option(help="Context of the kubeconfig.")] = None
    in_cluster: Annotated[
        bool, Option("--in-cluster/--no-in-cluster", "--incluster/--no-incluster", help="Run as a pod of the cluster.")
    ] = False
    watch_namespaces: Annotated[str, Option(help="Namespaces to watch, by comma; all by default.")] = ""


@dataclass(frozen=True, kw_only=True)
class GatewayFlags:
    """What the gateway is to be, on top of its GatewayConfig or in its place."""

    root_namespaces: Annotated[
        str | None, Option(help="Namespaces in which a root HTTPProxy may be, by comma; all by default.")
    ] = None
    ingress_class_name: Annotated[str | None, Option(help="Class of the objects that are served.")] = None
    config: Annotated[
        Path | None, Option(help="A GatewayConfig in a file: counts where the cluster has none named default.")
    ] = None
    contour_config: Annotated[
        Path | None, Option("--contour-config", "--config-path", "-c", help="Contour's configuration file, instead.")
    ] = None
    http_port: Annotated[
        int, Option("--http-port", "--envoy-service-http-port", min=1, max=65535, help="Port of Envoy for HTTP.")
    ] = 8080
    https_port: Annotated[
        int, Option("--https-port", "--envoy-service-https-port", min=1, max=65535, help="Port of Envoy for HTTPS.")
    ] = 8443
    http_address: Annotated[str | None, Option("--envoy-service-http-address", hidden=True, help=HIDDEN)] = None
    https_address: Annotated[str | None, Option("--envoy-service-https-address", hidden=True, help=HIDDEN)] = None
    accesslog_format: Annotated[AccessLogFormat | None, Option(hidden=True, help=HIDDEN)] = None
    envoy_http_access_log: Annotated[str | None, Option(hidden=True, help=HIDDEN)] = None


@dataclass(frozen=True, kw_only=True)
class XdsFlags:
    """How Envoys reach the control plane."""

    xds_address: Annotated[str, Option(help="Address of the xDS server.")] = "127.0.0.1"
    xds_port: Annotated[int, Option(min=1, max=65535, help="Port of the xDS server.")] = 8001
    xds_ca_file: CaFile = None
    xds_cert_file: CertFile = None
    xds_key_file: KeyFile = None
    insecure: Annotated[bool, Option("--insecure", help="Serve xDS without certificates, to whoever comes.")] = False
    snapshot: Annotated[
        Path | None,
        Option(
            help="File in which what Envoys are sent is kept, private keys included, for an Envoy that starts before "
            "the API server has answered."
        ),
    ] = None
    rotate_xds_certificates: Annotated[
        bool,
        Option(
            "--rotate-xds-certificates/--no-rotate-xds-certificates",
            help="Have the leader renew the Secrets that `isoline certgen --kube` made, long before they end.",
        ),
    ] = True


@dataclass(frozen=True, kw_only=True)
class StatusFlags:
    """Where traffic arrives, for statuses."""

    ingress_status_address: Annotated[
        str, Option(help="Addresses and host names for statuses, by comma; else those of the Envoy Service.")
    ] = ""
    envoy_service_name: Annotated[str, Option(help="The Service before the Envoys.")] = "envoy"
    envoy_service_namespace: Annotated[
        str | None, Option(help="Its namespace; our own by default.", envvar="ISOLINE_NAMESPACE")
    ] = None


@dataclass(frozen=True, kw_only=True)
class ElectionFlags:
    """Which of several replicas writes."""

    disable_leader_election: Annotated[
        bool, Option("--disable-leader-election/--no-disable-leader-election", help="This is the only replica.")
    ] = False
    leader_election_resource_name: Annotated[str, Option(help="Name of the Lease.")] = "isoline-leader"
    leader_election_resource_namespace: Annotated[
        str | None, Option(help="Namespace of the Lease; our own by default.")
    ] = None
    leader_election_lease_duration: Annotated[str, Option(help="When a lease that is not renewed ends.")] = "15s"
    leader_election_renew_deadline: Annotated[str, Option(help="When a leader that cannot renew gives up.")] = "10s"
    leader_election_retry_period: Annotated[str, Option(help="Between two tries to get or to renew it.")] = "2s"


@dataclass(frozen=True, kw_only=True)
class ReportFlags:
    """What the control plane tells of itself."""

    metrics_address: Annotated[str, Option(help="Address and port of /metrics, /healthz and /readyz.")] = "0.0.0.0:8000"
    log_format: Annotated[LogFormat, Option(help="Form of log lines.")] = LogFormat.text
    debug: Annotated[bool, Option("--debug", "-d", help="Log more.")] = False
    kubernetes_client_qps: Annotated[float | None, Option(hidden=True, help=HIDDEN)] = None
    kubernetes_client_burst: Annotated[int | None, Option(hidden=True, help=HIDDEN)] = None


GROUPS = (ClusterFlags, GatewayFlags, XdsFlags, StatusFlags, ElectionFlags, ReportFlags)


def with_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags of all groups: what calls it looks them up in its signature."""
    parameters = [each for group in GROUPS for each in inspect.signature(group).parameters.values()]
    setattr(command, "__signature__", inspect.Signature(parameters))  # noqa: B010 - functions declare none
    return command


def flags_of(group: type[Group], given: Mapping[str, Any]) -> Group:
    """Return the flags of one group, out of those of all."""
    return group(**{each.name: given[each.name] for each in fields(group)})  # type: ignore[arg-type]
