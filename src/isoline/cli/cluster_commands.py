"""The commands of a control plane in a cluster."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from isoline.cli import control_plane_groups as groups
from isoline.cli.errors import UsedWronglyError


@groups.with_flags
def control_plane(**given: Any) -> None:
    """Serve a cluster's objects to its Envoys."""
    from isoline.cli import control_plane_flags as flags
    from isoline.cli.control_plane_command import run
    from isoline.cli.control_plane_options import Options
    from isoline.cli.journal import log_to_output
    from isoline.objects import Key

    cluster = groups.flags_of(groups.ClusterFlags, given)
    gateway = groups.flags_of(groups.GatewayFlags, given)
    xds = groups.flags_of(groups.XdsFlags, given)
    status = groups.flags_of(groups.StatusFlags, given)
    election = groups.flags_of(groups.ElectionFlags, given)
    report = groups.flags_of(groups.ReportFlags, given)
    log_to_output(report.log_format.value, debug=report.debug)
    if report.kubernetes_client_qps is not None or report.kubernetes_client_burst is not None:
        flags.notice("--kubernetes-client-qps and --kubernetes-client-burst do nothing: there is no such limit here")
    connection = flags.connection(cluster.kubeconfig, context=cluster.context, in_cluster=cluster.in_cluster)
    here = flags.own_namespace(connection, in_cluster=cluster.in_cluster)
    address = flags.address(xds.xds_address, xds.xds_port)
    run(
        Options(
            connection=connection,
            identity=flags.identity(),
            namespaces=flags.listed(cluster.watch_namespaces),
            config=flags.gateway_config(gateway.config, gateway.contour_config),
            adjust=flags.overrides(gateway).apply,
            http_port=gateway.http_port,
            https_port=gateway.https_port,
            xds=address,
            xds_certificates=flags.certificates(
                address, xds.xds_ca_file, xds.xds_cert_file, xds.xds_key_file, insecure=xds.insecure
            ),
            rotate_in=here if xds.rotate_xds_certificates and xds.xds_cert_file is not None else None,
            metrics=flags.parse_address(report.metrics_address, flag="--metrics-address"),
            snapshot=xds.snapshot,
            lease=flags.lease(election, here=here),
            status_addresses=flags.listed(status.ingress_status_address),
            envoy_service=Key("Service", status.envoy_service_namespace or here, status.envoy_service_name),
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
