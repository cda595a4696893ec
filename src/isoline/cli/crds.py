"""`isoline crds`: the CustomResourceDefinitions of our own kinds, to be applied to a Kubernetes cluster."""

import asyncio
import contextlib

import msgspec

from isoline.cli.errors import FoundWrongError
from isoline.cli.output import say
from isoline.cluster.kubernetes.client import APPLY, Client
from isoline.cluster.kubernetes.connection import Connection
from isoline.cluster.kubernetes.errors import KubernetesError
from isoline.objects.crds import crd_documents
from isoline.objects.encoding import to_yaml

PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MANAGER = "isoline-crds"


def crds() -> None:
    say(to_yaml(*crd_documents()).rstrip())


def apply_crds(connection: Connection) -> None:
    """Defines our kinds in a cluster as this version has them. Raises FoundWrongError."""
    try:
        names = asyncio.run(_apply(connection))
    except KubernetesError as error:
        raise FoundWrongError(str(error)) from error
    say(f"applied: {', '.join(names)}")


async def _apply(connection: Connection) -> list[str]:
    """A package manager creates definitions once and leaves them as they are; whatever it, or a person, wrote gives way
    to what this version understands."""
    async with contextlib.AsyncExitStack() as stack:
        client = Client(connection)
        stack.push_async_callback(client.close)
        documents = {document["metadata"]["name"]: document for document in crd_documents()}
        for name, document in documents.items():
            await client.send(
                "PATCH",
                f"{PATH}/{name}",
                query={"fieldManager": MANAGER, "force": "true"},
                body=msgspec.json.encode(document),
                content_type=APPLY,
            )
        return list(documents)
