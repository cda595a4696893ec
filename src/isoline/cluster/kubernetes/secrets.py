"""Secrets of our own, read and written by name: never followed, so never in the store."""

from collections.abc import Mapping

from isoline.cluster.kubernetes import paths
from isoline.cluster.kubernetes.client import APPLY, Client
from isoline.cluster.kubernetes.decoding import decoder
from isoline.cluster.kubernetes.errors import APIError
from isoline.cluster.kubernetes.objects import manager_of
from isoline.objects import ObjectMeta, Secret, SecretValue, encode
from isoline.objects.registry import BY_NAME

_KIND = BY_NAME["Secret"]


class OwnSecrets:
    """Secrets of one namespace. Each method raises KubernetesError."""

    def __init__(self, client: Client, namespace: str, *, manager: str) -> None:
        self._client = client
        self._namespace = namespace
        self._manager = manager

    async def read(self, name: str) -> Mapping[str, bytes] | None:
        """What a Secret holds; None where there is none."""
        try:
            body = await self._client.send("GET", paths.item(_KIND, self._namespace, name))
        except APIError as error:
            if error.status == 404:
                return None
            raise
        secret = decoder(_KIND)(body)
        assert isinstance(secret, Secret)
        return secret.data

    async def write(self, name: str, contents: Mapping[str, bytes]) -> None:
        """Make a Secret hold this."""
        secret = Secret(
            metadata=ObjectMeta(
                name=name, namespace=self._namespace, labels={"app.kubernetes.io/managed-by": "isoline"}
            ),
            data={key: SecretValue(value) for key, value in contents.items()},
        )
        await self._client.send(
            "PATCH",
            paths.item(_KIND, self._namespace, name),
            query={"fieldManager": manager_of(self._manager), "force": "true"},
            body=encode(secret),
            content_type=APPLY,
        )
