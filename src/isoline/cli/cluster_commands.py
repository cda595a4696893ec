"""The commands of a control plane in a cluster, and their options."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from isoline.cli.errors import UsedWronglyError
from isoline.cli.options import LogFormat

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


def control_plane(
    kubeconfig: Annotated[Path | None, Option(help="Kubeconfig of the cluster; KUBECONFIG by default.")] = None,
    context: Annotated[str | None, Option(help="Context of the kubeconfig.")] = None,
    in_cluster: Annotated[
        bool, Option("--in-cluster/--no-in-cluster", "--incluster/--no-incluster", help="Run as a pod of the cluster.")
    ] = False,
    watch_namespaces: Annotated[str, Option(help="Namespaces to watch, by comma; all by default.")] = "",
    root_namespaces: Annotated[
        str | None, Option(help="Namespaces in which a root HTTPProxy may be, by comma; all by default.")
    ] = None,
    ingress_class_name: Annotated[str | None, Option(help="Class of the objects that are served.")] = None,
    config: Annotated[
        Path | None, Option(help="A GatewayConfig in a file: counts where the cluster has none named default.")
    ] = None,
    contour_config: Annotated[
        Path | None, Option("--contour-config", "--config-path", "-c", help="Contour's configuration file, instead.")
    ] = None,
    http_port: Annotated[
        int, Option("--http-port", "--envoy-service-http-port", min=1, max=65535, help="Port of Envoy for HTTP.")
    ] = 8080,
    https_port: Annotated[
        int, Option("--https-port", "--envoy-service-https-port", min=1, max=65535, help="Port of Envoy for HTTPS.")
    ] = 8443,
    http_address: Annotated[str | None, Option("--envoy-service-http-address", hidden=True, help=HIDDEN)] = None,
    https_address: Annotated[str | None, Option("--envoy-service-https-address", hidden=True, help=HIDDEN)] = None,
    xds_address: Annotated[str, Option(help="Address of the xDS server.")] = "127.0.0.1",
    xds_port: Annotated[int, Option(min=1, max=65535, help="Port of the xDS server.")] = 8001,
    xds_ca_file: CaFile = None,
    xds_cert_file: CertFile = None,
    xds_key_file: KeyFile = None,
    insecure: Annotated[bool, Option("--insecure", help="Serve xDS without certificates, to whoever comes.")] = False,
    ingress_status_address: Annotated[
        str, Option(help="Addresses and host names for statuses, by comma; else those of the Envoy Service.")
    ] = "",
    envoy_service_name: Annotated[str, Option(help="The Service before the Envoys.")] = "envoy",
    envoy_service_namespace: Annotated[
        str | None, Option(help="Its namespace; our own by default.", envvar="ISOLINE_NAMESPACE")
    ] = None,
    metrics_address: Annotated[
        str, Option(help="Address and port of /metrics, /healthz and /readyz.")
    ] = "0.0.0.0:8000",
    snapshot: Annotated[
        Path | None,
        Option(
            help="File in which what Envoys are sent is kept, private keys included, for an Envoy that starts before "
            "the API server has answered."
        ),
    ] = None,
    rotate_xds_certificates: Annotated[
        bool,
        Option(
            "--rotate-xds-certificates/--no-rotate-xds-certificates",
            help="Have the leader renew the Secrets that `isoline certgen --kube` made, long before they end.",
        ),
    ] = True,
    disable_leader_election: Annotated[
        bool, Option("--disable-leader-election/--no-disable-leader-election", help="This is the only replica.")
    ] = False,
    leader_election_resource_name: Annotated[str, Option(help="Name of the Lease.")] = "isoline-leader",
    leader_election_resource_namespace: Annotated[
        str | None, Option(help="Namespace of the Lease; our own by default.")
    ] = None,
    leader_election_lease_duration: Annotated[str, Option(help="When a lease that is not renewed ends.")] = "15s",
    leader_election_renew_deadline: Annotated[str, Option(help="When a leader that cannot renew gives up.")] = "10s",
    leader_election_retry_period: Annotated[str, Option(help="Between two tries to get or to renew it.")] = "2s",
    accesslog_format: Annotated[AccessLogFormat | None, Option(hidden=True, help=HIDDEN)] = None,
    envoy_http_access_log: Annotated[str | None, Option(hidden=True, help=HIDDEN)] = None,
    log_format: Annotated[LogFormat, Option(help="Form of log lines.")] = LogFormat.text,
    debug: Annotated[bool, Option("--debug", "-d", help="Log more.")] = False,
    kubernetes_client_qps: Annotated[float | None, Option(hidden=True, help=HIDDEN)] = None,
    kubernetes_client_burst: Annotated[int | None, Option(hidden=True, help=HIDDEN)] = None,
) -> None:
    """Serve a cluster's objects to its Envoys."""
    from isoline.cli import control_plane_flags as flags
    from isoline.cli.control_plane_command import run
    from isoline.cli.control_plane_options import Options
    from isoline.cli.journal import log_to_output
    from isoline.objects import Key

    log_to_output(log_format.value, debug=debug)
    if kubernetes_client_qps is not None or kubernetes_client_burst is not None:
        flags.notice("--kubernetes-client-qps and --kubernetes-client-burst do nothing: there is no such limit here")
    connection = flags.connection(kubeconfig, context=context, in_cluster=in_cluster)
    here = flags.own_namespace(connection, in_cluster=in_cluster)
    overrides = flags.Overrides(
        ingress_class_name=ingress_class_name,
        root_namespaces=None if root_namespaces is None else flags.listed(root_namespaces),
        http_address=http_address,
        https_address=https_address,
        access_log_format={None: None, "envoy": "text", "json": "json"}[accesslog_format],
        access_log_path=envoy_http_access_log,
    )
    lease = flags.lease(
        namespace=leader_election_resource_namespace or here,
        name=leader_election_resource_name,
        duration=leader_election_lease_duration,
        renew_deadline=leader_election_renew_deadline,
        retry=leader_election_retry_period,
    )
    xds = flags.address(xds_address, xds_port)
    run(
        Options(
            connection=connection,
            identity=flags.identity(),
            namespaces=flags.listed(watch_namespaces),
            config=flags.gateway_config(config, contour_config),
            adjust=overrides.apply,
            http_port=http_port,
            https_port=https_port,
            xds=xds,
            xds_certificates=flags.certificates(xds, xds_ca_file, xds_cert_file, xds_key_file, insecure=insecure),
            rotate_in=here if rotate_xds_certificates and xds_cert_file is not None else None,
            metrics=flags.parse_address(metrics_address, flag="--metrics-address"),
            snapshot=snapshot,
            lease=None if disable_leader_election else lease,
            status_addresses=flags.listed(ingress_status_address),
            envoy_service=Key("Service", envoy_service_namespace or here, envoy_service_name),
        )
    )


def certgen(
    directory: Annotated[Path | None, Argument(help="Folder for the files, where --kube is not given.")] = None,
    kube: Annotated[bool, Option("--kube", help="Keep them as Secrets of a cluster.")] = False,
    kubeconfig: Annotated[Path | None, Option(help="Kubeconfig of the cluster; KUBECONFIG by default.")] = None,
    context: Annotated[str | None, Option(help="Context of the kubeconfig.")] = None,
    in_cluster: Annotated[bool, Option("--in-cluster", "--incluster", help="Run as a pod of the cluster.")] = False,
    namespace: Annotated[
        str | None, Option(help="Namespace of the control plane; our own by default.", envvar="ISOLINE_NAMESPACE")
    ] = None,
    overwrite: Annotated[
        bool, Option("--overwrite", help="Make all of them anew, also what is good for long.")
    ] = False,
) -> None:
    """Make the certificates with which control plane and Envoys know each other; what is good for long stays."""
    from isoline.cli import certgen as command
    from isoline.cli import control_plane_flags as flags

    if kube == (directory is not None):
        raise UsedWronglyError("say where they are to be kept: a folder, or --kube")
    if directory is not None:
        command.certgen(namespace=namespace or flags.CUSTOMARY_NAMESPACE, folder=directory, anew=overwrite)
        return
    connection = flags.connection(kubeconfig, context=context, in_cluster=in_cluster)
    here = namespace or flags.own_namespace(connection, in_cluster=in_cluster)
    command.certgen(namespace=here, connection=connection, anew=overwrite)


def register(app: typer.Typer) -> None:
    """Adds these commands to the others."""
    app.command("control-plane")(control_plane)
    app.command("certgen")(certgen)
