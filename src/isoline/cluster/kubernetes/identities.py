"""The ways in which a client proves who it is: a token, a token in a file, a certificate, a program that is asked."""

import base64
import time
from pathlib import Path

from isoline.cluster.kubernetes.connection import ClientCertificate
from isoline.cluster.kubernetes.errors import CredentialsError
from isoline.cluster.kubernetes.exec_plugins import ExecPlugin, Proof
from isoline.objects.secrets import SecretText

TOKEN_SECONDS = 60.0
"""How long a token that was read from a file is used. The kubelet renews it when a fifth of its life is left."""
RENEW_EARLY_SECONDS = 30.0


class Fixed:
    """What does not change: a token, a name with a password, a certificate, or nothing."""

    def __init__(
        self, *, token: SecretText | None = None, certificate: ClientCertificate | None = None, basic: str = ""
    ) -> None:
        self.certificate = certificate
        self._headers: dict[str, str] = {}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {bytes(token).decode()}"
        elif basic:
            self._headers["Authorization"] = f"Basic {base64.b64encode(basic.encode()).decode()}"

    async def headers(self) -> dict[str, str]:
        return self._headers

    def rejected(self) -> None:
        """There is no other."""


class TokenFile:
    """A token in a file, as a pod's service account has one: read again now and then, and when it is refused."""

    def __init__(self, path: Path, *, certificate: ClientCertificate | None = None) -> None:
        self.certificate = certificate
        self._path = path
        self._headers: dict[str, str] = {}
        self._until = 0.0

    async def headers(self) -> dict[str, str]:
        if time.monotonic() >= self._until:
            try:
                token = self._path.read_text().strip()
            except OSError as error:
                raise CredentialsError(f"{self._path}: the token cannot be read: {error.strerror}") from error
            self._headers = {"Authorization": f"Bearer {token}"}
            self._until = time.monotonic() + TOKEN_SECONDS
        return self._headers

    def rejected(self) -> None:
        self._until = 0.0


class Asked:
    """What a program says, for as long as it says."""

    def __init__(self, plugin: ExecPlugin) -> None:
        self.certificate: ClientCertificate | None = None
        self._plugin = plugin
        self._proof: Proof | None = None

    async def headers(self) -> dict[str, str]:
        proof = self._proof
        if proof is None or (proof.expires is not None and time.time() > proof.expires - RENEW_EARLY_SECONDS):
            proof = self._proof = await self._plugin.ask()
            if proof.certificate is not None and proof.key is not None:
                self.certificate = ClientCertificate(bytes(proof.certificate), bytes(proof.key))
        return {"Authorization": f"Bearer {bytes(proof.token).decode()}"} if proof.token is not None else {}

    def rejected(self) -> None:
        self._proof = None
