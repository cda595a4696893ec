"""What an App is given by its profile where it does not say itself."""

from isoline.apps.profile import Profile
from isoline.objects.app import Affinity, App, Storage


def affinity(app: App, profile: Profile | None) -> Affinity:
    """Return what keeps a client with one replica."""
    return app.spec.affinity or (profile.affinity if profile is not None else "None")


def gpus(app: App, profile: Profile | None) -> int:
    """Return how many GPUs a replica has: what the App says, or one where its profile cannot do without."""
    asked = app.spec.resources.gpu if app.spec.resources is not None else None
    return int(profile is not None and profile.gpu == "required") if asked is None else asked


def storage(app: App, profile: Profile | None) -> tuple[Storage, ...]:
    """Return the volumes of an App: its profile's, and its own, which replace those of the same name."""
    own = {volume.name: volume for volume in app.spec.storage}
    given = {volume.name: volume for volume in (profile.storage if profile is not None else ())}
    return tuple((given | own).values())
