"""The manifests of the tutorials come up on one machine as they are."""

from pathlib import Path

import aiohttp
import pytest

from isoline.objects import Key, PersistentVolumeClaim
from unit.controllers.machine import RealMachine

SEED = Path(__file__).parents[2] / "seed"
EXAMPLES = Path(__file__).parents[3] / "examples"


async def test_the_tutorials_deployment_runs_the_studio(machine: RealMachine) -> None:
    pytest.importorskip("isoline_voice.main")
    names = ("deployment.yaml", "httpproxy.yaml", "networkpolicy.yaml")
    await machine.start("\n---\n".join((SEED / name).read_text() for name in names))
    await machine.until_ready(1, "cosyvoice3", service="cosyvoice-service")

    (port,) = machine.ports("cosyvoice-service")
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/readyz") as response,
    ):
        assert response.status == 200
    claim = machine.store.get(Key("PersistentVolumeClaim", "default", "cosyvoice-output-pvc"))
    assert isinstance(claim, PersistentVolumeClaim)
    assert claim.status.phase == "Bound"
    assert "runs in place of `python webui.py --port 7860`" in machine.said("Substituted")[0]
    # It asks for a GPU; where there is none, the studio's CPU variant runs.
    assert machine.condition("GPUAssigned", "cosyvoice3")[0] == "CPUVariant"
    assert machine.store.get(Key("Secret", "default", "voice-tls-secret")) is not None


async def test_the_example_runs_the_studio(machine: RealMachine) -> None:
    pytest.importorskip("isoline_voice.main")
    await machine.start((EXAMPLES / "voice" / "voice.yaml").read_text())

    await machine.until_ready(1, "voice")
