"""Credential plugins: a program that a kubeconfig names prints who we are (`client.authentication.k8s.io`)."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from isoline.cluster.kubernetes.errors import CredentialsError
from isoline.objects.secrets import SecretText

SECONDS = 60.0
"""How long a program may take; it may open a browser."""


class Proof(msgspec.Struct, frozen=True):
    """What a program said of us. `expires` counts seconds since the epoch; None is never."""

    token: SecretText | None = None
    certificate: SecretText | None = None
    key: SecretText | None = None
    expires: float | None = None


class _Status(msgspec.Struct, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: str = ""


class _Credential(msgspec.Struct):
    status: _Status | None = None


@dataclass(frozen=True, kw_only=True)
class ExecPlugin:
    """A program and how it is called."""

    command: str
    api_version: str
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    hint: str = ""
    """What the kubeconfig says about getting the program."""
    cluster: Mapping[str, object] | None = None
    """The cluster as the program wants to be told of it, where it does."""

    async def ask(self) -> Proof:
        """Run the program. Raises CredentialsError."""
        spec: dict[str, object] = {"interactive": False}
        if self.cluster is not None:
            spec["cluster"] = self.cluster
        info = {"apiVersion": self.api_version, "kind": "ExecCredential", "spec": spec}
        env = {**os.environ, **self.env, "KUBERNETES_EXEC_INFO": msgspec.json.encode(info).decode()}
        try:
            process = await asyncio.create_subprocess_exec(
                self.command,
                *self.args,
                env=env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            hint = f"; {self.hint}" if self.hint else ""
            raise CredentialsError(f"{self.command} cannot be run: {error.strerror}{hint}") from error
        try:
            out, err = await asyncio.wait_for(process.communicate(), SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise CredentialsError(f"{self.command} gave no credentials in {SECONDS:g} s") from None
        if process.returncode != 0:
            words = err.decode(errors="replace").strip()[-500:]
            raise CredentialsError(f"{self.command} ended with {process.returncode}: {words}")
        return _proof(self.command, out)


def _proof(command: str, out: bytes) -> Proof:
    try:
        status = msgspec.json.decode(out, type=_Credential).status
        moment = status.expiration_timestamp if status is not None else ""
        expires = datetime.fromisoformat(moment).timestamp() if moment else None
    except (msgspec.MsgspecError, ValueError):
        status, expires = None, None
    if status is None or not (status.token or (status.client_certificate_data and status.client_key_data)):
        # Nothing of what it printed: there may be half a token in it.
        raise CredentialsError(f"{command} printed no ExecCredential with a token or a certificate and key")
    return Proof(
        token=_secret(status.token),
        certificate=_secret(status.client_certificate_data),
        key=_secret(status.client_key_data),
        expires=expires,
    )


def _secret(text: str) -> SecretText | None:
    return SecretText(text.encode()) if text else None
