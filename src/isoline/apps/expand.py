"""From an App to the objects that make it real. Pure: the same App and profile give the same objects."""

from isoline.apps.claims import claims
from isoline.apps.deployment import deployment
from isoline.apps.exposure import proxies, service
from isoline.apps.names import owned_by
from isoline.apps.network_policy import network_policy
from isoline.apps.policy import policies
from isoline.apps.profile import Profile
from isoline.apps.target import Target
from isoline.objects.app import App
from isoline.objects.core import PersistentVolumeClaim
from isoline.objects.meta import Object


def expand(app: App, profile: Profile | None, target: Target) -> list[Object]:
    """Return what an App without faults stands for, all in its namespace and owned by it: a Deployment, a Service, a
    claim for each storage, a NetworkPolicy, an HTTPProxy for each host, and a TrafficPolicy where it asks for one.

    `profile` is the catalog entry that `spec.profile`, or the image of `spec.run`, means; None where neither does.
    On Kubernetes a claim has no owner: the cluster would delete the data with the App.
    """
    children: list[Object] = [
        deployment(app, profile, target),
        service(app, profile),
        *claims(app, profile),
        network_policy(app, profile),
        *proxies(app, profile),
        *policies(app, profile),
    ]
    kept = PersistentVolumeClaim if target is Target.KUBERNETES else ()
    return [child if isinstance(child, kept) else owned_by(app, child) for child in children]
