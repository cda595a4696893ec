"""Kubeconfig files, as kubectl reads them: several at once, contexts, certificates, tokens, plugins."""

import base64
import binascii
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from isoline.cluster.kubernetes.connection import ClientCertificate, Connection, Identity, Trust
from isoline.cluster.kubernetes.errors import KubeconfigError
from isoline.cluster.kubernetes.exec_plugins import ExecPlugin
from isoline.cluster.kubernetes.identities import Asked, Fixed, TokenFile
from isoline.objects.secrets import SecretText

T = TypeVar("T", bound="_Named")


class _Part(msgspec.Struct, rename="kebab"):
    """Part of a kubeconfig; what we do not know in it is another program's."""


class _Named(_Part):
    name: str


class _Cluster(_Part):
    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""


class _Variable(msgspec.Struct):
    name: str
    value: str


class _Exec(msgspec.Struct, rename="camel"):
    command: str
    api_version: str = "client.authentication.k8s.io/v1"
    args: list[str] | None = None
    env: list[_Variable] | None = None
    install_hint: str = ""
    provide_cluster_info: bool = False


class _User(_Part):
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = msgspec.field(name="tokenFile", default="")
    username: str = ""
    password: str = ""
    exec: _Exec | None = None
    auth_provider: dict[str, Any] | None = None


class _Context(_Part):
    cluster: str = ""
    user: str = ""
    namespace: str = ""


class _NamedCluster(_Named):
    cluster: _Cluster


class _NamedUser(_Named):
    user: _User


class _NamedContext(_Named):
    context: _Context


class _File(_Part):
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None
    current_context: str = ""


def default_paths() -> list[Path]:
    """Return the files that kubectl would read: those of KUBECONFIG, or the one in the home folder."""
    given = [Path(part) for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return given or [Path.home() / ".kube" / "config"]


def from_kubeconfig(paths: Sequence[Path] | None = None, *, context: str | None = None) -> Connection:
    """Return the connection of a context, the current one by default. Of what several files name the first counts.

    Raises KubeconfigError.
    """
    wanted = list(paths) if paths is not None else default_paths()
    files = [(path, _read(path)) for path in wanted if paths is not None or path.exists()]
    if not files:
        raise KubeconfigError(f"no kubeconfig at {', '.join(map(str, wanted))}: give --kubeconfig, or set KUBECONFIG")
    name = context or next((file.current_context for _, file in files if file.current_context), "")
    if not name:
        raise KubeconfigError(f"{files[0][0]}: current-context is not set: give --context")
    chosen, _ = _find("context", name, ((path, file.contexts) for path, file in files))
    cluster, cluster_file = _find("cluster", chosen.context.cluster, ((path, file.clusters) for path, file in files))
    server = cluster.cluster.server
    if not server.startswith(("https://", "http://")):
        raise KubeconfigError(f'{cluster_file}: server of cluster "{cluster.name}" is "{server}", a URL is wanted')
    identity: Identity = Fixed()
    if chosen.context.user:
        user, user_file = _find("user", chosen.context.user, ((path, file.users) for path, file in files))
        identity = _identity(user, user_file, cluster.cluster, cluster_file)
    return Connection(
        server=server.rstrip("/"),
        identity=identity,
        trust=_trust(cluster, cluster_file),
        namespace=chosen.context.namespace or "default",
        server_name=cluster.cluster.tls_server_name or None,
        proxy=cluster.cluster.proxy_url or None,
    )


def _read(path: Path) -> _File:
    try:
        return msgspec.convert(yaml.safe_load(path.read_text()) or {}, _File)
    except OSError as error:
        raise KubeconfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise KubeconfigError(f"{path}: not YAML: {str(error).partition(chr(10))[0]}") from error
    except msgspec.ValidationError as error:
        raise KubeconfigError(f"{path}: no kubeconfig: {error}") from error


def _find(what: str, name: str, files: Iterable[tuple[Path, list[T] | None]]) -> tuple[T, Path]:
    known: list[str] = []
    for path, entries in files:
        for entry in entries or ():
            if entry.name == name:
                return entry, path
            known.append(entry.name)
    raise KubeconfigError(f'there is no {what} "{name}" in the kubeconfig; there are: {", ".join(known) or "none"}')


def _trust(cluster: _NamedCluster, file: Path) -> Trust:
    given = cluster.cluster
    authorities: bytes | Path | None = None
    if given.certificate_authority_data:
        authorities = _decoded(given.certificate_authority_data, file, f'cluster "{cluster.name}"')
    elif given.certificate_authority:
        authorities = _beside(file, given.certificate_authority)
    return Trust(authorities=authorities, insecure=given.insecure_skip_tls_verify)


def _identity(user: _NamedUser, file: Path, cluster: _Cluster, cluster_file: Path) -> Identity:
    given, where = user.user, f'user "{user.name}"'
    if given.auth_provider is not None:
        raise KubeconfigError(f"{file}: {where} has an auth-provider, which Kubernetes has given up: use exec")
    if given.exec is not None:
        return Asked(_plugin(given.exec, file, cluster, cluster_file))
    certificate = _part(given.client_certificate, given.client_certificate_data, file, where)
    key = _part(given.client_key, given.client_key_data, file, where)
    if (certificate is None) != (key is None):
        raise KubeconfigError(f"{file}: {where} has only one of client-certificate and client-key")
    proof = ClientCertificate(certificate, key) if certificate is not None and key is not None else None
    if given.token:
        return Fixed(token=SecretText(given.token.encode()), certificate=proof)
    if given.token_file:
        return TokenFile(_beside(file, given.token_file), certificate=proof)
    return Fixed(certificate=proof, basic=f"{given.username}:{given.password}" if given.username else "")


def _plugin(given: _Exec, file: Path, cluster: _Cluster, cluster_file: Path) -> ExecPlugin:
    told: dict[str, object] | None = None
    if given.provide_cluster_info:
        authorities = cluster.certificate_authority_data
        if not authorities and cluster.certificate_authority:
            authorities = base64.b64encode(_beside(cluster_file, cluster.certificate_authority).read_bytes()).decode()
        told = {
            "server": cluster.server,
            "certificate-authority-data": authorities,
            "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
            "tls-server-name": cluster.tls_server_name,
        }
    return ExecPlugin(
        # Only what holds a slash is a path; a bare name is looked for where commands are.
        command=str(_beside(file, given.command)) if "/" in given.command else given.command,
        api_version=given.api_version,
        args=tuple(given.args or ()),
        env={each.name: each.value for each in given.env or ()},
        hint=" ".join(given.install_hint.split()),
        cluster=told,
    )


def _part(path: str, data: str, file: Path, where: str) -> bytes | Path | None:
    if data:
        return _decoded(data, file, where)
    return _beside(file, path) if path else None


def _decoded(text: str, file: Path, where: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise KubeconfigError(f"{file}: {where}: what should be base64 is not") from error


def _beside(file: Path, path: str) -> Path:
    return file.parent.absolute() / Path(path).expanduser()
