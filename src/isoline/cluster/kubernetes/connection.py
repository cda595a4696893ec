"""Where an API server is, and how we prove who we are."""

import os
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from isoline.cluster.kubernetes.errors import CredentialsError


class ClientCertificate:
    """A certificate and key with which we prove who we are: files, which are read again when they change, or bytes."""

    def __init__(self, certificate: Path | bytes, key: Path | bytes) -> None:
        self._certificate = certificate
        self._key = key

    @property
    def version(self) -> tuple[float, ...]:
        """Differs when the files do."""
        files = (each for each in (self._certificate, self._key) if isinstance(each, Path))
        try:
            return tuple(file.stat().st_mtime for file in files)
        except OSError as error:
            raise CredentialsError(
                f"{error.filename}: the client certificate cannot be read: {error.strerror}"
            ) from error

    def load_into(self, context: ssl.SSLContext) -> None:
        """Raises CredentialsError."""
        try:
            if isinstance(self._certificate, Path) and isinstance(self._key, Path):
                context.load_cert_chain(self._certificate, self._key)
                return
            # The standard library takes files only.
            with tempfile.TemporaryDirectory(prefix="isoline-") as folder:
                context.load_cert_chain(
                    _as_file(self._certificate, Path(folder, "certificate")), _as_file(self._key, Path(folder, "key"))
                )
        except (OSError, ssl.SSLError) as error:
            raise CredentialsError(f"the client certificate or its key cannot be used: {error}") from error


def _as_file(value: Path | bytes, path: Path) -> Path:
    if isinstance(value, Path):
        return value
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(value)
    return path


class Identity(Protocol):
    """Who we are to the API server."""

    async def headers(self) -> dict[str, str]:
        """The headers that say so. Raises CredentialsError."""
        ...

    @property
    def certificate(self) -> ClientCertificate | None:
        """The certificate that says so, as of the last `headers`."""
        ...

    def rejected(self) -> None:
        """The server did not believe it: get a new proof, if there can be one."""
        ...


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Which certificate of a server we believe."""

    authorities: bytes | Path | None = None
    """PEM, or a file of it, which is read again when it changes; None: those that the system trusts."""
    insecure: bool = False
    """Believe any certificate."""

    @property
    def version(self) -> float:
        """Differs when the file does."""
        if not isinstance(self.authorities, Path):
            return 0.0
        try:
            return self.authorities.stat().st_mtime
        except OSError as error:
            raise CredentialsError(f"{error.filename}: the CA cannot be read: {error.strerror}") from error

    def context(self) -> ssl.SSLContext:
        """Raises CredentialsError."""
        try:
            authorities = self.authorities
            pem = authorities.read_bytes() if isinstance(authorities, Path) else authorities
            context = ssl.create_default_context(cadata=pem.decode() if pem is not None else None)
        except (OSError, ValueError, ssl.SSLError) as error:
            raise CredentialsError(f"the API server's CA cannot be used: {error}") from error
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


@dataclass(kw_only=True)
class Connection:
    """One API server, seen as one user."""

    server: str
    """Its address, such as `https://10.0.0.1:6443`."""
    identity: Identity
    trust: Trust = Trust()
    namespace: str = "default"
    """Where objects are looked for when nobody says where."""
    server_name: str | None = None
    """The name in the server's certificate, where it is not that of the address."""
    proxy: str | None = None
    _context: ssl.SSLContext | None = field(default=None, repr=False)
    _context_of: object = field(default=None, repr=False)

    def ssl_context(self) -> ssl.SSLContext | None:
        """How to speak TLS with it, None for plain HTTP. The same object as long as no file changes.

        Raises CredentialsError.
        """
        if not self.server.startswith("https:"):
            return None
        certificate = self.identity.certificate
        made_of = (self.trust.version, certificate, certificate.version if certificate is not None else ())
        if self._context is None or made_of != self._context_of:
            context = self.trust.context()
            if certificate is not None:
                certificate.load_into(context)
            self._context, self._context_of = context, made_of
        return self._context
