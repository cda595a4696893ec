"""From an App to the objects that make it real. Pure: the same App and profile give the same objects."""

from isoline.apps.claims import claims
from isoline.apps.defaults import storage as storage_of
from isoline.apps.deployment import deployment
from isoline.apps.exposure import proxies, service
from isoline.apps.names import claim_name, owned_by
from isoline.apps.network_policy import network_policy
from isoline.apps.operations import budgets, certificates, is_monitored, service_monitors
from isoline.apps.policy import policies
from isoline.apps.profile import Profile
from isoline.apps.target import NOTHING_MORE, Offered, Target
from isoline.objects.app import App
from isoline.objects.meta import Object


def expand(app: App, profile: Profile | None, target: Target, offered: Offered = NOTHING_MORE) -> list[Object]:
    """Return what an App without faults stands for, all in its namespace and owned by it: a Deployment, a Service, a
    claim for each storage, a NetworkPolicy, an HTTPProxy for each host, and a TrafficPolicy where it asks for one. On
    Kubernetes also a PodDisruptionBudget for several replicas, and a Certificate and a ServiceMonitor where `offered`.

    `profile` is the catalog entry that `spec.profile`, or the image of `spec.run`, means; None where neither does.
    On Kubernetes a claim has no owner, unless the App says that its data goes with it: the cluster would delete it.
    """
    children: list[Object] = [
        deployment(app, profile, target),
        service(app, profile),
        *claims(app, profile),
        network_policy(app, profile, monitored=is_monitored(app, profile, offered)),
        # Who may come stands before the way in does.
        *policies(app, profile),
        *proxies(app, profile),
    ]
    if target is Target.MACHINE:
        return [owned_by(app, child) for child in children]
    children += [*budgets(app), *certificates(app, offered), *service_monitors(app, profile, offered)]
    kept = {claim_name(app, storage.name) for storage in storage_of(app, profile) if storage.when_deleted == "Retain"}
    return [
        child if child.kind == "PersistentVolumeClaim" and child.metadata.name in kept else owned_by(app, child)
        for child in children
    ]
