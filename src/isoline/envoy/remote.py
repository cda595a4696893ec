"""The bootstrap of an Envoy whose control plane is elsewhere: over TCP, with certificates that are read again when they
change."""

import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from isoline.envoy.bootstrap import assemble, pipe, xds_cluster

SERVER_NAMES = ("isoline", "contour")
"""What a control plane's certificate is for: our own ones, and those that an installation of Contour has already."""

_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."
_CERTIFICATE = "xds_certificate"
_AUTHORITY = "xds_authority"

DnsFamily = Literal["v4", "v6", "auto", "all"]


@dataclass(frozen=True, kw_only=True)
class XdsTls:
    """PEM files with which an Envoy proves who it is, and knows its control plane."""

    authority: Path
    certificate: Path
    key: Path
    resources: Path
    """A folder of our own for the two files in which Envoy reads of them."""


@dataclass(frozen=True, kw_only=True)
class RemoteSettings:
    """What differs from one Envoy to another."""

    node_id: str
    node_cluster: str = "isoline"
    xds_address: str
    xds_port: int
    admin_address: str
    """A path of a unix socket, or an IP address with `admin_port`."""
    admin_port: int | None = None
    tls: XdsTls | None = None
    dns_family: DnsFamily = "auto"
    max_heap_bytes: int = 2 * 1024**3
    max_connections: int = 50_000


def remote_bootstrap(settings: RemoteSettings) -> dict[str, Any]:
    """The bootstrap as Envoy's JSON. With `tls` it needs the files of `secret_files` beside it."""
    more: dict[str, Any] = {}
    literal = _is_address(settings.xds_address)
    if not literal:
        families = {"v4": "V4_ONLY", "v6": "V6_ONLY", "auto": "AUTO", "all": "ALL"}
        more["dns_lookup_family"] = families[settings.dns_family]
    if settings.tls is not None:
        more["transport_socket"] = _transport_socket(settings.tls)
    address = {"socket_address": {"address": settings.xds_address, "port_value": settings.xds_port}}
    if settings.admin_port is None:
        admin = pipe(Path(settings.admin_address))
    else:
        admin = {"socket_address": {"address": settings.admin_address, "port_value": settings.admin_port}}
    return assemble(
        node={"id": settings.node_id, "cluster": settings.node_cluster},
        admin=admin,
        xds_cluster=xds_cluster(address, type="STATIC" if literal else "STRICT_DNS", **more),
        max_heap_bytes=settings.max_heap_bytes,
        max_connections=settings.max_connections,
    )


def secret_files(tls: XdsTls) -> dict[Path, dict[str, Any]]:
    """The files through which Envoy finds its certificate and its CA, and follows them: path and content."""
    certificate = {
        "certificate_chain": {"filename": str(tls.certificate)},
        "private_key": {"filename": str(tls.key)},
        "watched_directory": {"path": str(tls.certificate.parent)},
    }
    authority = {
        "trusted_ca": {"filename": str(tls.authority)},
        "watched_directory": {"path": str(tls.authority.parent)},
        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": name}} for name in SERVER_NAMES],
    }
    return {
        _path(tls, _CERTIFICATE): _resources({"name": _CERTIFICATE, "tls_certificate": certificate}),
        _path(tls, _AUTHORITY): _resources({"name": _AUTHORITY, "validation_context": authority}),
    }


def write_remote(path: Path, settings: RemoteSettings) -> None:
    """Writes the bootstrap and what it needs beside it. Raises OSError."""
    files: dict[Path, dict[str, Any]] = secret_files(settings.tls) if settings.tls is not None else {}
    for file, content in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, content)
    _write(path, remote_bootstrap(settings))


def _write(path: Path, content: dict[str, Any]) -> None:
    aside = path.with_name(path.name + ".new")
    aside.write_text(json.dumps(content, indent=1))
    aside.replace(path)


def _resources(secret: dict[str, Any]) -> dict[str, Any]:
    return {"resources": [{"@type": _TYPE + "Secret", **secret}]}


def _path(tls: XdsTls, name: str) -> Path:
    return tls.resources / f"{name}.json"


def _transport_socket(tls: XdsTls) -> dict[str, Any]:
    def follow(name: str) -> dict[str, Any]:
        source = {"path_config_source": {"path": str(_path(tls, name))}, "resource_api_version": "V3"}
        return {"name": name, "sds_config": source}

    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": _TYPE + "UpstreamTlsContext",
            "sni": SERVER_NAMES[0],
            "common_tls_context": {
                "alpn_protocols": ["h2"],
                # Envoy as a client would not go beyond 1.2 by itself.
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
                "tls_certificate_sds_secret_configs": [follow(_CERTIFICATE)],
                "validation_context_sds_secret_config": follow(_AUTHORITY),
            },
        },
    }


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
