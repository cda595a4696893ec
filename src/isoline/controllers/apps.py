"""Apps: each is expanded into the objects that it stands for, and its status says what has become of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from isoline.apps import Catalog, Fault, Offered, Target, expand, faults, notices, profile_of
from isoline.apps.names import MANAGER, MANAGER_LABEL, NAME_LABEL, proxy_name, tls_secret_name
from isoline.apps.profile import Profile
from isoline.apps.target import NOTHING_MORE
from isoline.cluster.source import Result, Source
from isoline.cluster.store import Change
from isoline.controllers.clock import Clock
from isoline.controllers.conditions import Finding, conditions
from isoline.objects.app import App, AppStatus
from isoline.objects.gateway_config import GatewayConfig
from isoline.objects.httpproxy import HTTPProxy
from isoline.objects.meta import Key, Object
from isoline.objects.operators import Certificate
from isoline.objects.traffic_policy import TrafficPolicy
from isoline.objects.workloads import Deployment
from isoline.routing.settings import GATEWAY_CONFIG

FAILED = frozenset({"CrashLoopBackOff", "RunContainerError", "ImageNotRunnable", "InvalidSpec", "InternalError"})
WAITING_FOR_SOMEBODY = frozenset({"InsufficientGPU", "FailedMount", "CreateContainerConfigError"})
HTTPS = 443
REFUSED_AGAIN_SECONDS = 30.0
REFUSALS = {Target.MACHINE: "NameTaken", Target.KUBERNETES: "Refused"}
"""The reason when an object cannot be made; an API server knows more of them than a name that is taken."""


class Expansion(NamedTuple):
    """What the last look at an App's spec came to."""

    generation: int
    offered: Offered
    faults: Sequence[Fault]
    results: Sequence[Result]


class Apps:
    """Reconciles Apps. An App is expanded again only when it, or one of its children, has changed."""

    name = "apps"

    def __init__(
        self,
        source: Source,
        catalog: Catalog,
        clock: Clock,
        *,
        https_port: Callable[[], int],
        target: Target = Target.MACHINE,
        offered_kinds: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        """`offered_kinds`: those that the cluster has beyond what every cluster has."""
        self._source = source
        self._catalog = catalog
        self._clock = clock
        self._https_port = https_port
        self._target = target
        self._offered_kinds = offered_kinds
        self._expanded: dict[Key, Expansion] = {}
        self._disturbed: set[Key] = set()
        """Apps of whose children one has changed, perhaps while they were being made."""

    def touched_by(self, change: Change) -> Iterable[Key]:
        if change.key.kind == "App":
            return () if change.status_only else (change.key,)
        if change.key.kind == "GatewayConfig" and not change.status_only:
            return self.everything()  # an address has a port, a certificate an issuer
        owners = {key for item in (change.old, change.new) if item is not None for key in _owners(item)}
        if not change.status_only:
            self._disturbed |= owners
        return owners

    def everything(self) -> Iterable[Key]:
        return [app.key for app in self._source.store.of_kind("App")]

    async def reconcile(self, key: Key) -> float | None:
        app = self._source.store.get(key)
        # One that is being deleted is left alone: what is to outlive it would be made its own again, and go with it.
        if not isinstance(app, App) or app.metadata.deletion_timestamp is not None:
            self._expanded.pop(key, None)
            self._disturbed.discard(key)
            return None
        profile = profile_of(app, self._catalog)
        expansion, offered = self._expanded.get(key), self._offered()
        if (
            expansion is None
            or (expansion.generation, expansion.offered) != (app.metadata.generation, offered)
            or key in self._disturbed
        ):
            expansion = await self._expand(app, profile, offered)
        self._source.set_status(key, self._status(app, profile, expansion))
        if not any(result.action == "refused" for result in expansion.results):
            return None
        # What stands in the way may go, and nobody tells.
        self._disturbed.add(key)
        return REFUSED_AGAIN_SECONDS

    def _offered(self) -> Offered:
        if self._target is Target.MACHINE:
            return NOTHING_MORE
        config = self._source.store.get(GATEWAY_CONFIG)
        issuer = config.spec.tls.issuer if isinstance(config, GatewayConfig) else None
        return Offered(self._offered_kinds(), issuer)

    async def _expand(self, app: App, profile: Profile | None, offered: Offered) -> Expansion:
        self._disturbed.discard(app.key)
        found = faults(app, self._catalog, self._target)
        # A fault in a new spec leaves what runs of the old one alone.
        results: Sequence[Result] = ()
        if not found:
            children = expand(app, profile, self._target, offered)
            results = await self._source.reconcile_children(app.key, children, manager=self.name)
        expansion = self._expanded[app.key] = Expansion(app.metadata.generation, offered, found, results)
        return expansion

    def _status(self, app: App, profile: Profile | None, expansion: Expansion) -> AppStatus:
        deployment = self._source.store.get(Key("Deployment", app.metadata.namespace, app.metadata.name))
        assert deployment is None or isinstance(deployment, Deployment)
        proxies = [
            self._source.store.get(Key("HTTPProxy", app.metadata.namespace, proxy_name(app, host)))
            for host in app.spec.hosts
        ]
        findings = [
            _accepted(expansion, refusal=REFUSALS[self._target]),
            running_of(deployment),
            _published([proxy for proxy in proxies if isinstance(proxy, HTTPProxy)], len(proxies)),
        ]
        refused = self._refused(app)
        if refused is not None:
            findings[-1] = refused
        findings += unenforced(deployment)
        findings += self._issued(app)
        ignored = notices(app, self._target, expansion.offered)
        if ignored:
            findings.append(Finding("FullyActedOn", False, ignored[0].reason, "; ".join(map(str, ignored))))
        return AppStatus(
            phase=phase(deployment, findings),
            address=self._address(app),
            ready_replicas=deployment.status.ready_replicas if deployment is not None else 0,
            replicas=deployment.status.replicas if deployment is not None else 0,
            version=_version(deployment) if self._target is Target.KUBERNETES else "",
            profile=profile.name if profile is not None else "",
            engine=profile.engine if profile is not None else "",
            conditions=conditions(
                findings, app.status.conditions, now=self._clock.now(), generation=app.metadata.generation
            ),
            observed_generation=app.metadata.generation,
        )

    def _issued(self, app: App) -> Iterator[Finding]:
        """What cert-manager says of the App's certificate."""
        certificate = self._source.store.get(Key("Certificate", app.metadata.namespace, tls_secret_name(app)))
        if isinstance(certificate, Certificate):
            said = {each.type: each for each in certificate.status.conditions}.get("Ready")
            if said is None:
                yield Finding("CertificateReady", None, "Waiting", f"{certificate.key}: nobody has issued it yet")
            else:
                yield Finding("CertificateReady", said.status == "True", said.reason, said.message)

    def _refused(self, app: App) -> Finding | None:
        """What keeps the App's own policy from counting: the App is then not published as it was meant."""
        policy = self._source.store.get(Key("TrafficPolicy", app.metadata.namespace, app.metadata.name))
        if not isinstance(policy, TrafficPolicy):
            return None
        for each in policy.status.conditions:
            if each.type in ("Accepted", "ResolvedRefs") and each.status == "False":
                return Finding("Published", False, "InvalidPolicy", f"{policy.key}: {each.message}")
        return None

    def _address(self, app: App) -> str:
        if not app.spec.hosts:
            return ""
        port = self._https_port()
        return f"https://{app.spec.hosts[0].lower()}" + ("" if port == HTTPS else f":{port}")


def _owners(item: Object) -> Iterator[Key]:
    """The Apps that an object belongs to."""
    for reference in item.metadata.owner_references:
        if reference.kind == "App":
            yield Key("App", item.metadata.namespace, reference.name)
    labels = item.metadata.labels
    if item.kind == "PersistentVolumeClaim" and labels.get(MANAGER_LABEL) == MANAGER and NAME_LABEL in labels:
        # In a cluster it outlives the App, and names no owner.
        yield Key("App", item.metadata.namespace, labels[NAME_LABEL])


def _accepted(expansion: Expansion, *, refusal: str) -> Finding:
    if expansion.faults:
        return Finding("Accepted", False, "InvalidSpec", "; ".join(map(str, expansion.faults)))
    told = [f"{result.key}: {result.note}" for result in expansion.results if result.note]
    if any(result.action == "refused" for result in expansion.results):
        return Finding("Accepted", False, refusal, "; ".join(told))
    return Finding("Accepted", True, "Expanded", "; ".join(told))


def running_of(deployment: Deployment | None) -> Finding:
    """Return whether an App's Deployment runs as it should, and else what keeps it from that."""
    if deployment is None:
        return Finding("Running", False, "NoDeployment", "there is nothing to run yet")
    given = {condition.type: condition for condition in deployment.status.conditions}
    failure = given.get("ReplicaFailure")
    if failure is not None:
        return Finding("Running", False, failure.reason, failure.message)
    progress = given.get("Progressing")
    if progress is not None and progress.status == "False":
        return Finding("Running", False, progress.reason, progress.message)
    ready, wanted = deployment.status.ready_replicas, deployment.spec.replicas
    message = f"{ready} of {wanted} replicas are ready"
    if ready >= wanted:
        return Finding("Running", True, "ReplicasReady", message)
    unready = given.get("ReplicasReady")
    return Finding(
        "Running", False, "ReplicasStarting", message if unready is None else f"{message}; {unready.message}"
    )


def _version(deployment: Deployment | None) -> str:
    """The tag or digest of the image that every replica runs; empty while they run different ones."""
    if deployment is None or not deployment.status.ready_replicas:
        return ""
    status = deployment.status
    if status.observed_generation < deployment.metadata.generation or status.updated_replicas < status.replicas:
        return ""
    image = deployment.spec.template.spec.containers[0].image
    name, _, digest = image.partition("@")
    return digest or name.rpartition("/")[2].partition(":")[2] or "latest"


def unenforced(deployment: Deployment | None) -> Iterator[Finding]:
    """Yield what a Deployment says of limits that nothing enforces on this machine."""
    for condition in deployment.status.conditions if deployment is not None else ():
        if condition.type == "LimitsEnforced" and condition.status == "False":
            yield Finding("LimitsEnforced", False, condition.reason, condition.message)


def _published(proxies: Sequence[HTTPProxy], wanted: int) -> Finding:
    invalid = [proxy for proxy in proxies if proxy.status.current_status not in {"valid", "NotReconciled"}]
    if invalid:
        return Finding("Published", False, "InvalidProxy", "; ".join(map(_complaint, invalid)))
    if len(proxies) < wanted or not proxies or any(proxy.status.current_status != "valid" for proxy in proxies):
        return Finding("Published", None, "Waiting", "the gateway has not taken it up yet")
    return Finding("Published", True, "ValidProxy", "")


def _complaint(proxy: HTTPProxy) -> str:
    errors = [error for condition in proxy.status.conditions for error in condition.errors]
    told = ", ".join(f"{error.reason}: {error.message}" for error in errors) or proxy.status.description
    return f"{proxy.key}: {told}"


def phase(deployment: Deployment | None, findings: Sequence[Finding]) -> str:
    """Return one word for an App: Pending, Starting, Ready, Degraded or Failed."""
    accepted, running, published = findings[:3]
    if deployment is None or not deployment.status.ready_replicas:
        if accepted.status is False or running.reason in FAILED:
            return "Failed"
        return "Pending" if running.reason in WAITING_FOR_SOMEBODY or deployment is None else "Starting"
    if accepted.status and running.status and published.status is not False:
        return "Ready" if published.status else "Starting"
    return "Degraded"
