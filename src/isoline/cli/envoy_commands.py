"""`isoline envoy`: the commands that stand beside each Envoy of a cluster."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from isoline.cli.errors import UsedWronglyError
from isoline.cli.options import LogFormat


class DnsFamily(StrEnum):
    """Which addresses of a name are used."""

    v4 = "v4"
    v6 = "v6"
    auto = "auto"
    all = "all"


ReadyFile = Annotated[Path, Option(help="File that is there when Envoy may go.")]
DEFAULT_READY_FILE = Path("/admin/ok")
AdminSocket = Annotated[Path, Option("--admin-address", help="Unix socket of Envoy's admin interface.")]
DEFAULT_ADMIN_SOCKET = Path("/admin/admin.sock")


envoy = typer.Typer(name="envoy", no_args_is_help=True, help="What stands beside each Envoy of a cluster.")


@envoy.command()
def bootstrap(
    path: Annotated[Path, Argument(help="File to write.")],
    xds_address: Annotated[str, Option(help="Address or name of the control plane.")] = "127.0.0.1",
    xds_port: Annotated[int, Option(min=1, max=65535, help="Its port.")] = 8001,
    admin_address: Annotated[
        str, Option(help="Unix socket of Envoy's admin interface, or an IP address with --admin-port.")
    ] = "/admin/admin.sock",
    admin_port: Annotated[int | None, Option(min=1, max=65535, help="Port of the admin interface.")] = None,
    ca_file: Annotated[
        Path | None,
        Option("--envoy-cafile", envvar="ENVOY_CAFILE", help="CA of the control plane's certificate, PEM."),
    ] = None,
    cert_file: Annotated[
        Path | None, Option("--envoy-cert-file", envvar="ENVOY_CERT_FILE", help="Envoy's certificate, PEM.")
    ] = None,
    key_file: Annotated[Path | None, Option("--envoy-key-file", envvar="ENVOY_KEY_FILE", help="Its key, PEM.")] = None,
    resources_dir: Annotated[
        Path | None, Option(help="Folder for the files that tell Envoy of its certificates; that of FILE by default.")
    ] = None,
    dns_lookup_family: Annotated[DnsFamily, Option(help="Addresses of the control plane's name.")] = DnsFamily.auto,
    node_id: Annotated[
        str | None, Option(envvar="ENVOY_POD_NAME", help="Name of this Envoy; the machine's by default.")
    ] = None,
    overload_max_heap: Annotated[int, Option(help="Bytes of memory at which work is refused.")] = 2 * 1024**3,
    overload_downstream_max_conn: Annotated[int, Option(help="Connections of clients at a time.")] = 50_000,
) -> None:
    """Write what an Envoy starts with. Everything else reaches it from the control plane."""
    import socket

    from isoline.envoy.remote import RemoteSettings, XdsTls, write_remote

    given = (ca_file, cert_file, key_file)
    tls = None
    if ca_file is not None and cert_file is not None and key_file is not None:
        tls = XdsTls(
            authority=ca_file.absolute(),
            certificate=cert_file.absolute(),
            key=key_file.absolute(),
            resources=(resources_dir or path.parent).absolute(),
        )
    elif any(given):
        raise UsedWronglyError("--envoy-cafile, --envoy-cert-file and --envoy-key-file go together: give all three")
    settings = RemoteSettings(
        node_id=node_id or socket.gethostname(),
        xds_address=xds_address,
        xds_port=xds_port,
        admin_address=admin_address,
        admin_port=admin_port,
        tls=tls,
        dns_family=dns_lookup_family.value,
        max_heap_bytes=overload_max_heap,
        max_connections=overload_downstream_max_conn,
    )
    try:
        write_remote(path, settings)
    except OSError as error:
        raise UsedWronglyError(f"{error.filename}: cannot be written: {error.strerror}") from error


@envoy.command("shutdown-manager")
def shutdown_manager(
    ready_file: ReadyFile = DEFAULT_READY_FILE,
    admin_address: AdminSocket = DEFAULT_ADMIN_SOCKET,
    serve_port: Annotated[int, Option(min=1, max=65535, help="Port to answer on.")] = 8090,
    serve_address: Annotated[str, Option(help="Address to answer on.")] = "0.0.0.0",
    log_format: Annotated[LogFormat, Option(help="Form of log lines.")] = LogFormat.text,
) -> None:
    """Keep Envoy's preStop hook waiting (at /shutdown) until `isoline envoy shutdown` is done.

    Answers Envoy's readiness probe (/ready) and Prometheus (/metrics) as well.
    """
    from isoline.cli.envoy_shutdown import run_manager
    from isoline.cli.journal import log_to_output

    log_to_output(log_format.value, debug=False)
    run_manager(ready_file, admin_address, host=serve_address, port=serve_port)


@envoy.command()
def shutdown(
    admin_address: AdminSocket = DEFAULT_ADMIN_SOCKET,
    ready_file: ReadyFile = DEFAULT_READY_FILE,
    drain_delay: Annotated[str, Option(help="Wait so long before Envoy says that it is leaving.")] = "0s",
    check_delay: Annotated[str, Option(help="Wait so long before it is asked what is still open.")] = "0s",
    check_interval: Annotated[str, Option(help="Between two such questions.")] = "5s",
    min_open_connections: Annotated[int, Option(min=0, help="So many open requests are few enough.")] = 0,
    log_format: Annotated[LogFormat, Option(help="Form of log lines.")] = LogFormat.text,
) -> None:
    """Drain the Envoy of this pod, and return when it may go."""
    from isoline.cli import control_plane_flags as flags
    from isoline.cli.envoy_shutdown import run_shutdown
    from isoline.cli.journal import log_to_output
    from isoline.envoy.shutdown import Shutdown

    log_to_output(log_format.value, debug=False)
    settings = Shutdown(
        ready_file=ready_file,
        drain_delay=flags.seconds(drain_delay, flag="--drain-delay"),
        check_delay=flags.seconds(check_delay, flag="--check-delay"),
        check_interval=flags.seconds(check_interval, flag="--check-interval"),
        min_open_connections=min_open_connections,
    )
    run_shutdown(admin_address, settings)
