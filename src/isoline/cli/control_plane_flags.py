"""What the flags of `isoline control-plane` mean."""

import ipaddress
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from isoline.cli.contour_config import read_contour_config
from isoline.cli.control_plane_groups import ElectionFlags, GatewayFlags
from isoline.cli.control_plane_options import Address
from isoline.cli.errors import UsedWronglyError
from isoline.cluster.kubernetes.connection import Connection
from isoline.cluster.kubernetes.errors import KubernetesError
from isoline.cluster.kubernetes.in_cluster import in_cluster as connection_in_cluster
from isoline.cluster.kubernetes.kubeconfig import from_kubeconfig
from isoline.cluster.kubernetes.leases import LeaseSettings
from isoline.objects import GatewayConfig, decode_documents, parse_go_duration
from isoline.xds.credentials import CertificateFiles

CUSTOMARY_NAMESPACE = "projectcontour"
"""Where Contour's users have a gateway's own objects."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """What flags say of the gateway, whatever its GatewayConfig says; None: nothing."""

    ingress_class_name: str | None = None
    root_namespaces: tuple[str, ...] | None = None
    http_address: str | None = None
    https_address: str | None = None
    access_log_format: Literal["json", "text"] | None = None
    access_log_path: str | None = None

    def apply(self, config: GatewayConfig) -> GatewayConfig:
        """Return the config as the flags want it."""
        replace = msgspec.structs.replace
        spec = config.spec
        http, https, log = spec.listeners.http, spec.listeners.https, spec.access_log
        if self.ingress_class_name is not None:
            spec = replace(spec, ingress_class_name=self.ingress_class_name)
        if self.root_namespaces is not None:
            spec = replace(spec, root_namespaces=self.root_namespaces)
        if self.http_address is not None:
            http = replace(http, address=self.http_address)
        if self.https_address is not None:
            https = replace(https, address=self.https_address)
        if self.access_log_format is not None:
            log = replace(log, format=self.access_log_format)
        if self.access_log_path is not None:
            # Contour's default names the file that is the standard output.
            log = replace(log, path="stdout" if self.access_log_path == "/dev/stdout" else self.access_log_path)
        listeners = replace(spec.listeners, http=http, https=https)
        return replace(config, spec=replace(spec, listeners=listeners, access_log=log))


def notice(text: str) -> None:
    """Say something that nobody need act on."""
    _log.info(text)


def listed(text: str) -> tuple[str, ...]:
    """Return what stands between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def connection(kubeconfig: Path | None, *, context: str | None, in_cluster: bool) -> Connection:
    """Return the connection that is meant. Raises UsedWronglyError."""
    if in_cluster and (kubeconfig is not None or context is not None):
        raise UsedWronglyError("--in-cluster excludes --kubeconfig and --context: give one")
    try:
        if in_cluster:
            return connection_in_cluster()
        return from_kubeconfig([kubeconfig] if kubeconfig is not None else None, context=context)
    except KubernetesError as error:
        raise UsedWronglyError(str(error)) from error


def own_namespace(connection: Connection, *, in_cluster: bool) -> str:
    """Return the namespace in which our own objects are: the pod's, or the customary one outside of a cluster."""
    told = os.environ.get("ISOLINE_NAMESPACE") or os.environ.get("CONTOUR_NAMESPACE")
    return told or (connection.namespace if in_cluster else CUSTOMARY_NAMESPACE)


def overrides(gateway: GatewayFlags) -> Overrides:
    """Return what the flags say of the gateway."""
    return Overrides(
        ingress_class_name=gateway.ingress_class_name,
        root_namespaces=None if gateway.root_namespaces is None else listed(gateway.root_namespaces),
        http_address=gateway.http_address,
        https_address=gateway.https_address,
        access_log_format={None: None, "envoy": "text", "json": "json"}[gateway.accesslog_format],
        access_log_path=gateway.envoy_http_access_log,
    )


def lease(election: ElectionFlags, *, here: str) -> LeaseSettings | None:
    """Return the lease that the flags describe; None where there is no election. Raises UsedWronglyError."""
    duration = seconds(election.leader_election_lease_duration, flag="--leader-election-lease-duration")
    renew_deadline = seconds(election.leader_election_renew_deadline, flag="--leader-election-renew-deadline")
    retry = seconds(election.leader_election_retry_period, flag="--leader-election-retry-period")
    if not duration > renew_deadline > retry > 0:
        raise UsedWronglyError(
            "--leader-election-lease-duration must be longer than --leader-election-renew-deadline, and that longer "
            "than --leader-election-retry-period"
        )
    if election.disable_leader_election:
        return None
    return LeaseSettings(
        namespace=election.leader_election_resource_namespace or here,
        name=election.leader_election_resource_name,
        duration=duration,
        renew_deadline=renew_deadline,
        retry=retry,
    )


def seconds(text: str, *, flag: str) -> float:
    """Return the seconds of a duration such as `1m30s`. Raises UsedWronglyError."""
    try:
        return parse_go_duration(text)
    except ValueError as error:
        raise UsedWronglyError(f'{flag}: found "{text}", a duration such as 15s is wanted') from error


def address(host: str, port: int, *, flag: str = "--xds-address") -> Address:
    """Return an address to listen on. Raises UsedWronglyError for what is no IP address."""
    host = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise UsedWronglyError(f'{flag}: found "{host}", an IP address is wanted') from error
    return Address(host, port)


def parse_address(text: str, *, flag: str) -> Address:
    """Return the address that `host:port` means. Raises UsedWronglyError."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsedWronglyError(f'{flag}: found "{text}", an address with a port such as 0.0.0.0:8000 is wanted')
    return address(host or "0.0.0.0", int(port), flag=flag)


def certificates(
    xds: Address, authority: Path | None, certificate: Path | None, key: Path | None, *, insecure: bool
) -> CertificateFiles | None:
    """Return the certificates of the xDS server; None to serve without. Raises UsedWronglyError."""
    given = [each for each in (authority, certificate, key) if each is not None]
    if insecure:
        return None
    if authority is not None and certificate is not None and key is not None:
        return CertificateFiles(certificate, key, authority)
    if given:
        raise UsedWronglyError("--xds-ca-file, --xds-cert-file and --xds-key-file go together: give all three")
    if not ipaddress.ip_address(xds.host).is_loopback:
        raise UsedWronglyError(
            f"the xDS server would hand private keys to whoever reaches {xds}: give --xds-ca-file, --xds-cert-file and "
            "--xds-key-file (`isoline certgen` makes them), or say --insecure"
        )
    return None


def gateway_config(file: Path | None, contour_file: Path | None) -> GatewayConfig | None:
    """Return the GatewayConfig of a file, or what Contour's configuration file amounts to. Raises UsedWronglyError."""
    if file is not None and contour_file is not None:
        raise UsedWronglyError("--config and --contour-config exclude each other: give one")
    if contour_file is not None:
        config, unhonoured = read_contour_config(contour_file)
        for text in unhonoured:
            _log.warning("not honoured", file=str(contour_file), what=text)
        return config
    if file is None:
        return None
    try:
        decoded = decode_documents(file.read_bytes(), source=str(file))
    except OSError as error:
        raise UsedWronglyError(f"{file}: cannot be read: {error.strerror}") from error
    problems = [str(problem) for problem in (*decoded.errors, *decoded.warnings)]
    if problems:
        raise UsedWronglyError("\n".join(problems))
    found = [item for item in decoded.objects if isinstance(item, GatewayConfig)]
    if len(found) != 1:
        raise UsedWronglyError(f"{file}: holds {len(found)} GatewayConfigs, one is wanted")
    return found[0]


def identity() -> str:
    """Return a name for this replica that no other has."""
    return f"{socket.gethostname()}-{os.getpid()}"
