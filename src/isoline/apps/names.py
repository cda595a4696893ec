"""The names, labels and ports that the objects of one App share."""

import hashlib
from typing import TypeVar

from isoline.apps.profile import Profile
from isoline.objects.app import App
from isoline.objects.meta import Object, ObjectMeta, OwnerReference

NAME_LABEL = "app.kubernetes.io/name"
MANAGER_LABEL = "app.kubernetes.io/managed-by"
MANAGER = "isoline"
PORT_NAME = "http"

ObjectType = TypeVar("ObjectType", bound=Object)


def metadata(app: App, name: str, *, annotations: dict[str, str] | None = None) -> ObjectMeta:
    """Return the metadata of a child: the App's namespace, and labels that say whose it is."""
    labels = {NAME_LABEL: app.metadata.name, MANAGER_LABEL: MANAGER}
    return ObjectMeta(name=name, namespace=app.metadata.namespace, labels=labels, annotations=annotations or {})


def selector(app: App) -> dict[str, str]:
    """Return the labels by which an App's replicas are known."""
    return {NAME_LABEL: app.metadata.name}


def claim_name(app: App, storage: str) -> str:
    return f"{app.metadata.name}-{storage}"


def volume_variable(volume: str) -> str:
    """Return the environment variable by which a program finds a volume, whatever it runs on."""
    return f"ISOLINE_VOLUME_{volume.upper().replace('-', '_')}"


def proxy_name(app: App, host: str) -> str:
    """Return the HTTPProxy's name for a host: the App's own for the first host, with a hash for the others.

    The hash, and not a number, so that no proxy changes its host when another leaves the list.
    """
    if host == app.spec.hosts[0]:
        return app.metadata.name
    return f"{app.metadata.name}-{hashlib.blake2b(host.lower().encode(), digest_size=4).hexdigest()}"


def tls_secret_name(app: App) -> str:
    given = app.spec.tls.secret_name if app.spec.tls is not None else ""
    return given or f"{app.metadata.name}-tls"


def port(app: App, profile: Profile | None) -> int:
    """Return the port that the app listens on by its own account."""
    if app.spec.run is not None and app.spec.run.port is not None:
        return app.spec.run.port
    assert profile is not None, "an App without a port has a fault"
    return profile.port


def owned_by(app: App, child: ObjectType) -> ObjectType:
    """Return the object with the App as its controlling owner, so that it goes when the App goes."""
    owner = OwnerReference(
        api_version=app.api_version,
        kind=app.kind,
        name=app.metadata.name,
        uid=app.metadata.uid,
        controller=True,
        block_owner_deletion=True,
    )
    return child.with_metadata(owner_references=(owner,))
