"""What an image means on a machine without containers."""

import pytest

from isoline.apps import load_catalog
from isoline.controllers.workloads.images import ImageNotRunnableError, program, with_profile_probes
from isoline.objects.containers import Container, Probe

CATALOG = load_catalog()
STUDIO = ("isoline-voice", "serve")


def chosen(image: str, command: str = "", args: str = "") -> tuple[str, ...]:
    container = Container(name="c", image=image, command=tuple(command.split()), args=tuple(args.split()))
    return program(container, CATALOG).argv


@pytest.mark.parametrize(
    ("image", "command", "args", "argv"),
    [
        ("cosyvoice3:latest", "", "", STUDIO),
        ("cosyvoice3:latest", "", "--workers 2", (*STUDIO, "--workers", "2")),
        ("cosyvoice3:latest", "isoline-voice say hello", "", ("isoline-voice", "say", "hello")),
        ("cosyvoice3:latest", "python webui.py --port 7860", "--x", STUDIO),
        ("isoline.dev/host", "./serve", "-p $(PORT)", ("./serve", "-p", "$(PORT)")),
        ("isoline.dev/host:any", "./serve", "", ("./serve",)),
    ],
)
def test_command_and_args_mean_what_they_mean_in_kubernetes(
    image: str, command: str, args: str, argv: tuple[str, ...]
) -> None:
    assert chosen(image, command, args) == argv


def test_what_the_stand_in_does_not_take_over_is_said() -> None:
    container = Container(name="c", image="cosyvoice3", command=("python", "webui.py", "--port", "7860"))

    assert program(container, CATALOG).note == "isoline-voice serve runs in place of `python webui.py --port 7860`"


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("isoline.dev/host", "give `command`"),
        ("ghcr.io/acme/app:1", r'"ghcr.io/acme/app:1" cannot run.*voice.*spec.run'),
    ],
)
def test_an_image_that_cannot_run_says_what_to_give_instead(image: str, words: str) -> None:
    with pytest.raises(ImageNotRunnableError, match=words):
        chosen(image)


def test_a_profiles_probes_are_for_containers_that_bring_none() -> None:
    profile = CATALOG.get("voice")
    bare, own = Container(name="c"), Container(name="c", liveness_probe=Probe())

    assert with_profile_probes(bare, profile).readiness_probe is not None
    assert with_profile_probes(own, profile) == own
    assert with_profile_probes(bare, None) == bare
