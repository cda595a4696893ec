"""The API server as a pod finds it: two variables and the files of its service account."""

import os
from pathlib import Path

from isoline.cluster.kubernetes.connection import Connection, Trust
from isoline.cluster.kubernetes.errors import CredentialsError
from isoline.cluster.kubernetes.identities import TokenFile

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def in_cluster(folder: Path = SERVICE_ACCOUNT) -> Connection:
    """Return the connection of the pod that this process runs in. Raises CredentialsError outside of one."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise CredentialsError(
            "this is no pod (KUBERNETES_SERVICE_HOST is not set): give --kubeconfig where --in-cluster stands"
        )
    if not (folder / "token").exists():
        raise CredentialsError(f"{folder}/token is not there: the pod has automountServiceAccountToken: false")
    namespace = folder / "namespace"
    return Connection(
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        trust=Trust(authorities=folder / "ca.crt"),
        identity=TokenFile(folder / "token"),
        namespace=namespace.read_text().strip() if namespace.exists() else "default",
    )
