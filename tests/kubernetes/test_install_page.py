"""The commands of docs/install.md, as a reader would type them one after the other."""

import asyncio
import os
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kubernetes.charts import CHART, emptied, images, undefined
from kubernetes.rig import Api, Node, Rig
from kubernetes.rig.binaries import helm, kubectl

PAGE = (CHART.parents[1] / "docs" / "install.md").read_text()
NAMESPACE = "isoline-system"
MODEST = "envoy.minReadySeconds=1,envoy.concurrency=1,envoy.replicas=1,envoy.drain.delay=0s,controlPlane.replicas=1"
"""The page has two of each; the machine of a test has better things to do."""


@pytest.fixture
async def cluster(rig: Rig, api: Api) -> AsyncIterator[Rig]:
    """A cluster whose nodes find the images where the page has pushed them."""
    found = images()
    pushed = {f"registry.example.com/{name}": image for name, image in found.items()}
    async with (
        Node(rig, api, {**found, **pushed}, own_networks=True),
        undefined(api, contours=True),
        emptied(api, NAMESPACE),
    ):
        yield rig


@pytest.mark.timeout(400)
async def test_the_page_leads_to_a_served_site_and_to_the_studio_and_back(cluster: Rig, tmp_path: Path) -> None:
    (tmp_path / "charts").symlink_to(CHART.parent)
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    script = script.replace(
        "helm install isoline charts/isoline", f"helm install isoline charts/isoline --set {MODEST}"
    )
    path = os.pathsep.join([str(kubectl().parent), str(helm().parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "KUBECONFIG": str(cluster.kubeconfig), "HOME": str(tmp_path)}
    reader = await asyncio.create_subprocess_exec(
        *("bash", "-euxc", script), cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output, _ = await reader.communicate()
    said = output.decode()
    assert reader.returncode == 0, said
    assert "\nhello from the cluster" in said, said
    assert (tmp_path / "hello.wav").read_bytes()[:4] == b"RIFF"
    assert re.search(r"^voice +Ready +1 +https://voice\.example\.com", said, re.MULTILINE), said
