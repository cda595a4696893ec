"""A real API server takes our definitions, and what they define."""

from isoline.objects.crds import crd_documents
from kubernetes.planes import defined
from kubernetes.rig import Api


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
