"""The volumes of an App."""

from isoline.apps.defaults import storage as storage_of
from isoline.apps.names import claim_name, metadata
from isoline.apps.profile import Profile
from isoline.objects.app import App
from isoline.objects.core import PersistentVolumeClaim, PersistentVolumeClaimSpec, ResourceRequirements

DEFAULT_SIZE = "10Gi"


def claims(app: App, profile: Profile | None) -> list[PersistentVolumeClaim]:
    """Return a claim for each storage of an App."""
    return [
        PersistentVolumeClaim(
            metadata=metadata(app, claim_name(app, storage.name)),
            spec=PersistentVolumeClaimSpec(
                access_modes=("ReadWriteOnce",),
                resources=ResourceRequirements(requests={"storage": storage.size or DEFAULT_SIZE}),
            ),
        )
        for storage in storage_of(app, profile)
    ]
