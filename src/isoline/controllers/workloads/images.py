"""What an image means where there are no containers: the program that the catalog names for it, or a plain command."""

from typing import NamedTuple

from msgspec.structs import replace

from isoline.apps import Catalog, Profile
from isoline.apps.deployment import HOST_IMAGE
from isoline.objects.containers import Container


class ImageNotRunnableError(Exception):
    """Nothing on this machine is what the image holds; the message says what to give instead."""


class Program(NamedTuple):
    """What is run for a container, before `$(VAR)` is expanded. `note` tells the user what was not taken over."""

    argv: tuple[str, ...]
    profile: Profile | None
    note: str = ""


def program(container: Container, catalog: Catalog) -> Program:
    """Return what to run for a container.

    The profile's command is the image's entry point, so `command` and `args` mean what they mean in Kubernetes: `args`
    follow the entry point, `command` replaces it. Only a command of the original that the profile stands in for is
    replaced whole, since its arguments are not the stand-in's. Raises ImageNotRunnableError.
    """
    profile = catalog.profile_for_image(container.image)
    if profile is not None:
        return _of_profile(container, profile)
    if container.image.partition(":")[0] == HOST_IMAGE:
        if not container.command:
            raise ImageNotRunnableError(f"image {HOST_IMAGE} runs the command on this machine: give `command`")
        return Program(container.command + container.args, None)
    raise ImageNotRunnableError(
        f'image "{container.image}" cannot run on this machine: no profile of the catalog '
        f"({', '.join(catalog.names)}) is for it. Give the command to run here: image {HOST_IMAGE} with `command` in a "
        "Deployment, or spec.run.command in an App"
    )


def _of_profile(container: Container, profile: Profile) -> Program:
    for beginning in profile.stands_in_for:
        if container.command[: len(beginning)] == beginning:
            given = " ".join(container.command + container.args)
            return Program(profile.command, profile, f"{' '.join(profile.command)} runs in place of `{given}`")
    return Program((container.command or profile.command) + container.args, profile)


def with_profile_probes(container: Container, profile: Profile | None) -> Container:
    """Return the container with its profile's probes if it brings none of its own."""
    own = (container.startup_probe, container.readiness_probe, container.liveness_probe)
    if profile is None or any(probe is not None for probe in own):
        return container
    changes = {
        "startup_probe": profile.probes.startup,
        "readiness_probe": profile.probes.readiness,
        "liveness_probe": profile.probes.liveness,
    }
    return replace(container, **changes)
