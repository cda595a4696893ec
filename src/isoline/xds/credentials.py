"""Mutual TLS for the stream to Envoy: who has no certificate of our CA gets nothing. Changed files are read again."""

from pathlib import Path
from typing import Any, NamedTuple

import grpc
import structlog

_log = structlog.get_logger(__name__)


class CredentialsError(ValueError):
    """The files cannot be used; the text says which and why."""


class CertificateFiles(NamedTuple):
    """PEM files: our chain, our key, and the CA of those whom we serve."""

    certificate: Path
    key: Path
    authority: Path


class _Read(NamedTuple):
    version: tuple[tuple[int, int, int], ...]
    configuration: Any


def server_credentials(files: CertificateFiles) -> grpc.ServerCredentials:
    """Return credentials that ask for a client's certificate and follow the files. Raises CredentialsError."""
    current = _read(files)

    def renewed() -> Any:
        """Called for each handshake, on a thread of gRPC's: None means as before."""
        nonlocal current
        try:
            if _version(files) == current.version:
                return None
            current = _read(files)
        except (CredentialsError, OSError) as error:
            # Half of a renewal, perhaps: the next handshake looks again.
            _log.warning("xDS certificates not renewed", reason=str(error))
            return None
        _log.info("xDS certificates renewed")
        return current.configuration

    return grpc.dynamic_ssl_server_credentials(current.configuration, renewed, require_client_authentication=True)


def _version(files: CertificateFiles) -> tuple[tuple[int, int, int], ...]:
    found = (path.stat() for path in files)
    return tuple((each.st_mtime_ns, each.st_ino, each.st_size) for each in found)


def _read(files: CertificateFiles) -> _Read:
    # The version first: what changes while we read is then seen as a change.
    try:
        version = _version(files)
        certificate, key, authority = (path.read_bytes() for path in files)
    except OSError as error:
        raise CredentialsError(f"{error.filename}: cannot be read: {error.strerror}") from error
    for path, text in zip(files, (certificate, key, authority), strict=True):
        if b"-----BEGIN " not in text:
            raise CredentialsError(f"{path}: holds no PEM")
    pair = grpc.ssl_server_certificate_configuration([(key, certificate)], root_certificates=authority)
    return _Read(version, pair)
