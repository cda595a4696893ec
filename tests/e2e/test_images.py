"""The container images: what their files say, and what stands in them, run as nobody in a tree that cannot be written.

No container engine is needed: the steps that make an image's tree run in a folder, with this machine's installation.
"""

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest

from isoline.version import VERSION

ROOT = Path(__file__).parents[2]
FILES = {"Containerfile": "isoline", "Containerfile.voice": "isoline_voice"}
PATIENCE = 60.0
CONTAINED = """
set -e
mount --bind {tree} {tree}; mount -o remount,bind,ro {tree}
mount -t tmpfs -o mode=1777 tmp {tree}/tmp; mount --rbind /dev {tree}/dev; mount -t proc proc {tree}/proc
exec env --ignore-environment {environment} {chroot} --userspec={user} {tree} "$@"
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a tree is entered by root only")


class Step(NamedTuple):
    """A line of a container file."""

    instruction: str
    text: str


def steps(name: str) -> list[Step]:
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [line.partition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    return [Step(instruction, rest) for instruction, _, rest in lines]


def last_stage(name: str) -> list[Step]:
    every = steps(name)
    begin = max(index for index, step in enumerate(every) if step.instruction == "FROM")
    return every[begin:]


def only(found: Sequence[Step], instruction: str) -> str:
    (text,) = (step.text for step in found if step.instruction == instruction)
    return text


@pytest.mark.parametrize("name", FILES)
def test_what_is_copied_is_there_and_sent_to_the_builder(name: str) -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for step in steps(name):
        if step.instruction == "COPY" and "--from" not in step.text:
            for source in step.text.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert any(source == each or fnmatch(source, f"{each}/*") for each in kept), source


@pytest.mark.parametrize("name", FILES)
def test_packages_come_by_hash_and_the_image_is_nothing_but_the_tree(name: str) -> None:
    installed = [step.text for step in steps(name) if step.instruction == "RUN" and "pip install" in step.text]
    assert all("--require-hashes -r requirements.lock" in each or "--no-deps" in each for each in installed)
    assert not [step for step in steps(name) if step.instruction == "ADD"]
    image = last_stage(name)
    assert image[0].text == "scratch"
    assert [step.text for step in image if step.instruction == "COPY"] == ["--from=build /image /"]
    assert not [step for step in image if step.instruction == "RUN"]
    assert only(image, "USER") == "65532:65532"


@pytest.fixture(scope="module", params=FILES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A container file, and the tree that its build makes."""
    name: str = request.param
    tree = tmp_path_factory.mktemp("images") / "image"
    (step,) = (step.text for step in steps(name) if step.instruction == "RUN" and "scripts/image-root" in step.text)
    command = step.replace("/venv/bin/python", sys.executable).replace(" /image ", f" {tree} ")
    subprocess.run(shlex.split(command), cwd=ROOT, check=True)
    return name, tree


@contextmanager
def contained(
    name: str, tree: Path, *arguments: str, program: Sequence[str] = (), **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """Run what the image runs, or another program of it, as its user, in a tree that cannot be written."""
    image = last_stage(name)
    given = [*only(image, "ENV").split(), *(f"{key}={value}" for key, value in environment.items())]
    script = CONTAINED.format(
        tree=tree, environment=" ".join(given), user=only(image, "USER"), chroot="/usr/sbin/chroot"
    )
    entry: list[str] = [*program] or json.loads(only(image, "ENTRYPOINT"))
    command = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", script, "sh", *entry, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            # Its child is the first of its processes' namespace, with which all of them end. It has become somebody
            # else meanwhile, for which the kernel has forgotten that it was to end with `unshare`.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                    os.kill(int(child), signal.SIGKILL)


def test_its_program_works(built: tuple[str, Path]) -> None:
    name, tree = built
    if FILES[name] == "isoline":
        check_gateway(name, tree)
    else:
        check_studio(name, tree)
    names = {path.name for folder in ("bin", "usr/bin", "usr/sbin") for path in (tree / folder).glob("*")}
    assert not names & {"sh", "bash", "dash", "apt", "apt-get", "dpkg", "pip"}


def check_gateway(name: str, tree: Path) -> None:
    """What the chart runs: the command line, and Envoy with a bootstrap of ours."""
    assert output(name, tree, "version") == f"isoline {VERSION}"
    assert "kind: CustomResourceDefinition" in output(name, tree, "crds")
    assert "Read-only file system" in output(name, tree, "certgen", "/opt/certificates")
    # As the chart starts it: by its name, from the PATH.
    with contained(name, tree, "--version", program=["/opt/isoline/bin/envoy"]) as process:
        said, _ = process.communicate(timeout=PATIENCE)
    assert "/RELEASE/" in said


def output(name: str, tree: Path, *arguments: str) -> str:
    with contained(name, tree, *arguments) as process:
        said, _ = process.communicate(timeout=PATIENCE)
    return said.strip()


def check_studio(name: str, tree: Path) -> None:
    """It speaks, and its pages are there."""
    command: list[str] = json.loads(only(last_stage(name), "CMD"))
    with contained(name, tree, *command, "--workers", "1", HOST="127.0.0.1", PORT="0") as process:
        assert process.stdout is not None
        address = next(line.rpartition(" ")[2].strip() for line in process.stdout if "listening at" in line)
        until_ready(address)
        speech = urllib.request.Request(
            f"{address}/v1/audio/speech", json.dumps({"input": "hello", "response_format": "wav"}).encode()
        )
        with urllib.request.urlopen(speech, timeout=PATIENCE) as answer:
            assert answer.read(4) == b"RIFF"
        with urllib.request.urlopen(f"{address}/gradio/", timeout=PATIENCE) as answer:
            assert answer.status == 200


def until_ready(address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/readyz", timeout=PATIENCE):
            return
        assert time.monotonic() < deadline, "the studio does not become ready"
        time.sleep(0.1)
