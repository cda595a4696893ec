"""A real API server takes our definitions, and what they define."""

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path

from isoline.objects.crds import crd_documents
from kubernetes.planes import defined
from kubernetes.rig import Api, Rig


async def test_the_definitions_of_our_kinds_are_accepted_whole(api: Api) -> None:
    for definition in crd_documents():
        name = definition["metadata"]["name"]
        async with defined(api, definition):
            found = await api.wait("CustomResourceDefinition", name, _is_decided)
            conditions = {each["type"]: each for each in found["status"]["conditions"]}
            assert conditions["Established"]["status"] == "True"
            assert "NonStructuralSchema" not in conditions, conditions["NonStructuralSchema"]["message"]


def _is_decided(definition: dict[str, object]) -> bool:
    status = definition.get("status")
    conditions = (status.get("conditions") or []) if isinstance(status, dict) else []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


async def test_a_command_brings_definitions_up_to_date_whoever_wrote_them(rig: Rig, api: Api) -> None:
    older = crd_documents()[0]
    spec = older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    taken = min(spec["properties"])
    del spec["properties"][taken]
    name = older["metadata"]["name"]
    async with contextlib.AsyncExitStack() as stack:
        for document in (older, *crd_documents()[1:]):
            await stack.enter_async_context(defined(api, document))
        program = Path(sys.executable).with_name("isoline")
        command = [str(program), "crds", "--apply", "--kubeconfig", str(rig.kubeconfig)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        found = await api.get("CustomResourceDefinition", name)
    assert done.returncode == 0, done.stderr
    assert name in done.stdout
    now = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    assert taken in now
