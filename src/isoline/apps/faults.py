"""What is wrong with an App, every fault at once, and what of it this version does not act on."""

from collections.abc import Iterator
from typing import NamedTuple

from isoline.apps import access
from isoline.apps.catalog import Catalog
from isoline.apps.operations import issuer_of
from isoline.apps.profile import Profile
from isoline.apps.target import NOTHING_MORE, Offered, Target
from isoline.objects.app import App, AppSpec


class Fault(NamedTuple):
    """One reason why an App cannot be made real. Prints as `spec.profile: …`."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class Notice(NamedTuple):
    """Something of an App that has no effect here. Prints as `spec.scale: …`."""

    reason: str
    """Why, as a condition says it."""
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


NOT_IN_THIS_VERSION = "NotInThisVersion"
ONLY_IN_A_CLUSTER = "OnlyInACluster"
NO_CERT_MANAGER = "NoCertManager"
NO_PROMETHEUS_OPERATOR = "NoPrometheusOperator"


def faults(app: App, catalog: Catalog, target: Target) -> list[Fault]:
    """Return every fault of an App that decoding cannot see, in the order of its fields.

    An App that has one is not expanded.
    """
    return [
        *_program(app.spec, catalog, target),
        *_hosts(app.spec),
        *_tls(app.spec, target),
        *_storage(app.spec, profile_of(app, catalog)),
        *_protection(app.spec),
    ]


def profile_of(app: App, catalog: Catalog) -> Profile | None:
    """Return the catalog entry that `spec.profile`, or else the image of `spec.run`, means; None if neither does."""
    if app.spec.profile is not None:
        return catalog.get(app.spec.profile)
    return catalog.profile_for_image(app.spec.run.image) if app.spec.run is not None else None


def _program(spec: AppSpec, catalog: Catalog, target: Target) -> Iterator[Fault]:
    known = ", ".join(catalog.names)
    if spec.profile is not None:
        if catalog.get(spec.profile) is None:
            closest = catalog.closest(spec.profile)
            meant = f'; did you mean "{closest}"?' if closest else ""
            yield Fault("spec.profile", f'"{spec.profile}" is not in the catalog, which has: {known}{meant}')
        return
    if spec.run is None:
        return
    profile = catalog.profile_for_image(spec.run.image) if spec.run.image else None
    if profile is not None:
        return
    if target is Target.KUBERNETES and not spec.run.image:
        yield Fault("spec.run.image", "is missing: give the image that Kubernetes runs")
    if target is Target.MACHINE and not spec.run.command:
        what = f'the image "{spec.run.image}" is in no profile of the catalog' if spec.run.image else "it is missing"
        yield Fault("spec.run.command", f"{what}: give the command that runs the app on {target.value}")
    if spec.run.port is None:
        yield Fault("spec.run.port", "is missing: give the port that the app listens on")


def _hosts(spec: AppSpec) -> Iterator[Fault]:
    if not spec.hosts:
        yield Fault("spec.host", 'is missing: give the host name at which the app answers, such as "voice.localhost"')
    lowered = [host.lower() for host in spec.hosts]
    for host in dict.fromkeys(host for host in lowered if lowered.count(host) > 1):
        yield Fault("spec.host", f'"{host}" is there more than once')


def _tls(spec: AppSpec, target: Target) -> Iterator[Fault]:
    if spec.tls is not None and spec.tls.issuer is not None and target is Target.MACHINE:
        yield Fault("spec.tls.issuer", "cert-manager needs Kubernetes; on one machine use selfSigned or secretName")
    if spec.tls is not None and target is Target.KUBERNETES and spec.tls.self_signed:
        yield Fault("spec.tls.selfSigned", "needs one machine; on Kubernetes use issuer or secretName")


def _storage(spec: AppSpec, profile: Profile | None) -> Iterator[Fault]:
    paths = [storage.path for storage in spec.storage]
    of_profile = {storage.path: storage.name for storage in (profile.storage if profile is not None else ())}
    for at, (path, storage) in enumerate(zip(paths, spec.storage, strict=True)):
        if path in paths[:at]:
            yield Fault(f"spec.storage[{at}].path", f'"{path}" is the path of another volume already')
        elif (name := of_profile.get(path, storage.name)) != storage.name:
            yield Fault(f"spec.storage[{at}].name", f'the profile calls the volume at "{path}" "{name}": use that name')


def _protection(spec: AppSpec) -> Iterator[Fault]:
    if spec.access is not None:
        for field, message in access.wrong(spec.access):
            yield Fault(f"spec.access.{field}" if field else "spec.access", message)


def notices(app: App, target: Target, offered: Offered = NOTHING_MORE) -> list[Notice]:
    """Return what of an App has no effect here; first what somebody can mend by installing it."""
    if target is Target.MACHINE:
        return [*_not_in_this_version(app.spec), *_on_a_machine(app.spec)]
    return [*_without_operators(app, offered), *_not_in_this_version(app.spec)]


def _not_in_this_version(spec: AppSpec) -> Iterator[Notice]:
    if spec.scale is not None and (
        spec.scale.min == 0
        or spec.scale.most > spec.scale.min
        or spec.scale.target_concurrency
        or spec.scale.idle_after
    ):
        message = "replicas stay at min, at least 1; this version does not scale by load"
        yield Notice(NOT_IN_THIS_VERSION, "spec.scale", message)
    if any(storage.backup is not None for storage in spec.storage):
        yield Notice(NOT_IN_THIS_VERSION, "spec.storage[].backup", "this version makes no backups")
    if spec.upgrade is not None:
        yield Notice(NOT_IN_THIS_VERSION, "spec.upgrade", "this version does not look for new versions")


def _on_a_machine(spec: AppSpec) -> Iterator[Notice]:
    if spec.egress is not None and spec.egress.policy == "Deny":
        message = f"connections out of an app cannot be refused on {Target.MACHINE.value}"
        yield Notice(ONLY_IN_A_CLUSTER, "spec.egress", message)
    if any(storage.when_deleted == "Delete" for storage in spec.storage):
        message = "on this machine folders of volumes stay until somebody removes them"
        yield Notice(ONLY_IN_A_CLUSTER, "spec.storage[].whenDeleted", message)
    if spec.scheduling is not None:
        yield Notice(ONLY_IN_A_CLUSTER, "spec.scheduling", "this machine is the only node")
    if spec.metrics is not None:
        yield Notice(ONLY_IN_A_CLUSTER, "spec.metrics", "nothing reads figures of apps on this machine")


def _without_operators(app: App, offered: Offered) -> Iterator[Notice]:
    issuer = issuer_of(app, offered)
    if issuer is not None and "Certificate" not in offered.kinds:
        own = app.spec.tls is not None and app.spec.tls.issuer is not None
        message = (
            f"the cluster has no cert-manager that {issuer.name} could issue a certificate with; install cert-manager "
            "(https://cert-manager.io/docs/installation), and the certificate is asked for at once"
        )
        yield Notice(NO_CERT_MANAGER, "spec.tls.issuer" if own else "tls.issuer of the GatewayConfig", message)
    if app.spec.metrics is not None and "ServiceMonitor" not in offered.kinds:
        message = (
            "the cluster has no Prometheus operator; install it (https://prometheus-operator.dev), "
            "and it is told of the figures at once"
        )
        yield Notice(NO_PROMETHEUS_OPERATOR, "spec.metrics", message)
