"""How an App gets new versions: found, built, staged, tested, approved, then put in service step by step."""

from typing import Annotated, Literal

from msgspec import Meta

from isoline.objects.app_access import SecretKeyReference
from isoline.objects.formats import Duration, Host, Path, Schedule
from isoline.objects.model import Model


class UpgradeSource(Model, frozen=True, kw_only=True):
    """Where new versions appear: a git repository or an image repository."""

    git: Annotated[str, Meta(description="URL of the git repository to watch.")] = ""
    ref: Annotated[str, Meta(description="Branch or tag pattern to watch, such as main or v*.")] = ""
    image: Annotated[str, Meta(description="Image repository whose tags to watch.")] = ""
    schedule: Annotated[Schedule, Meta(description="When to look.")] = "@hourly"


class UpgradeBuild(Model, frozen=True, kw_only=True):
    """How a version becomes something to run."""

    command: Annotated[tuple[str, ...], Meta(description="Program that builds it, run in the checked-out source.")] = ()
    dockerfile: Annotated[str, Meta(description="Dockerfile in the source.")] = ""
    image: Annotated[str, Meta(description="Image name to give to the result.")] = ""


class SmokeTest(Model, frozen=True, kw_only=True):
    """What a staged version must pass: a request, a program, or both."""

    path: Annotated[Path | None, Meta(description="Path that must answer with a 2xx status.")] = None
    command: Annotated[tuple[str, ...], Meta(description="Program that must exit with 0; it gets STAGING_URL.")] = ()
    timeout: Annotated[Duration, Meta(description="Longest time that the test may take.")] = "5m"


class CanaryStep(Model, frozen=True, kw_only=True):
    """A share of the traffic, for some time."""

    weight: Annotated[int, Meta(ge=1, le=100, description="Percent of the requests that the new version gets.")]
    pause: Annotated[Duration, Meta(description="Time until the next step.")] = "5m"


class Canary(Model, frozen=True, kw_only=True):
    """The steps by which a version takes over; errors take it back."""

    steps: Annotated[tuple[CanaryStep, ...], Meta(description="Steps, in order; all traffic follows the last.")] = ()


class Upgrade(Model, frozen=True, kw_only=True):
    """The way of a new version into service."""

    source: Annotated[UpgradeSource, Meta(description="Where new versions appear.")]
    build: Annotated[UpgradeBuild | None, Meta(description="How a version becomes something to run.")] = None
    staging_host: Annotated[Host | None, Meta(description="Host name at which a staged version can be tried.")] = None
    smoke_test: Annotated[SmokeTest | None, Meta(description="What a staged version must pass.")] = None
    approval: Annotated[Literal["Manual", "Automatic"], Meta(description="Who says that a tested version goes on.")] = (
        "Manual"
    )
    canary: Annotated[
        Canary | None, Meta(description="Steps by which a version takes over; all at once without it.")
    ] = None
    notify: Annotated[
        tuple[SecretKeyReference, ...], Meta(description="Secrets with the URLs of services to tell, such as a chat.")
    ] = ()
