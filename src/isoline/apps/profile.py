"""What the catalog says of an app: how it is run, and what it needs of a gateway."""

from typing import Annotated, Literal

from msgspec import Meta, field

from isoline.objects.app import Affinity, Probes, Storage
from isoline.objects.app_upgrade import SmokeTest
from isoline.objects.containers import EnvVar
from isoline.objects.formats import Duration, Name, Path, Port
from isoline.objects.model import Model

GPUNeed = Literal["none", "optional", "required"]


class Profile(Model, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One catalog entry. Ports in `probes` are the app's own `port`, whatever a replica really listens on."""

    name: Annotated[Name, Meta(description="What an App's spec.profile says.")]
    title: Annotated[str, Meta(description="What people call it.")]
    label: Annotated[str, Meta(description="One word for it, on the screen.")] = ""
    hints: Annotated[
        dict[str, str], Meta(description="What to try, by a word for it; {address} and {ca} are filled in.")
    ] = field(default_factory=dict)
    images: Annotated[tuple[str, ...], Meta(description="Image references that mean this app; * stands for any text.")]
    image: Annotated[str, Meta(description="The image that an App of this profile runs.")]
    command: Annotated[
        tuple[str, ...], Meta(min_length=1, description="What its image runs, as a program of this machine.")
    ]
    stands_in_for: Annotated[
        tuple[tuple[str, ...], ...],
        Meta(description="Beginnings of commands of the original; the profile's command replaces them whole."),
    ] = ()
    port: Annotated[Port, Meta(description="Port that the app listens on; it is given to it as PORT.")]
    env: Annotated[tuple[EnvVar, ...], Meta(description="Environment variables.")] = ()
    probes: Annotated[Probes, Meta(description="Health checks, for containers that bring none.")] = Probes()
    engine: Annotated[str, Meta(description="What does the work inside, where an app could have several.")] = ""
    metrics: Annotated[Path | Literal[""], Meta(description="Path of its figures in Prometheus' format.")] = ""
    gpu: Annotated[GPUNeed, Meta(description="Whether it can use a GPU, and whether it can do without.")] = "none"
    idle: Annotated[Duration, Meta(description="Longest silence on a stream.")] = "300s"
    affinity: Annotated[
        Affinity, Meta(description="What keeps a client with one replica, where the App does not say.")
    ] = "None"
    storage: Annotated[
        tuple[Storage, ...],
        Meta(description="Volumes that every App of this profile has; one of the same name in the App replaces it."),
    ] = ()
    shares_storage: Annotated[
        bool, Meta(description="Whether several replicas may use the volumes at once, on one node.")
    ] = False
    smoke_test: Annotated[
        SmokeTest | None, Meta(description="What a staged version must pass, where the App names no test of its own.")
    ] = None
