"""`isoline certgen`: certificates for the stream between control plane and Envoys, in Secrets or in files."""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

from isoline.cli.errors import FoundWrongError
from isoline.cli.output import say
from isoline.cluster.kubernetes.client import Client
from isoline.cluster.kubernetes.connection import Connection
from isoline.cluster.kubernetes.errors import KubernetesError
from isoline.cluster.kubernetes.secrets import OwnSecrets
from isoline.cluster.state import write_private
from isoline.controllers.authority import utc
from isoline.controllers.clock import SystemClock
from isoline.controllers.xds_certificates import Keeper, renew

MANAGER = "xds-certificates"


class Folders:
    """Keeps each in a folder of its own, with a file a part: as a pod sees a mounted Secret."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def read(self, name: str) -> Mapping[str, bytes] | None:
        folder = self._root / name
        return {file.name: file.read_bytes() for file in folder.iterdir()} if folder.is_dir() else None

    async def write(self, name: str, contents: Mapping[str, bytes]) -> None:
        folder = self._root / name
        folder.mkdir(parents=True, exist_ok=True)
        for part, content in contents.items():
            write_private(folder / part, content)


def certgen(
    *, namespace: str, connection: Connection | None = None, folder: Path | None = None, anew: bool = False
) -> None:
    """Makes what is missing or due, in a cluster or in a folder. Raises FoundWrongError."""
    try:
        if connection is not None:
            written = asyncio.run(_in_cluster(connection, namespace, anew=anew))
        else:
            assert folder is not None
            written = asyncio.run(_renew(Folders(folder), namespace, anew=anew))
    except (KubernetesError, OSError) as error:
        raise FoundWrongError(str(error)) from error
    where = f"namespace {namespace}" if connection is not None else str(folder)
    say(f"made in {where}: {', '.join(written)}" if written else f"nothing to do in {where}: all are good for long")


async def _in_cluster(connection: Connection, namespace: str, *, anew: bool) -> list[str]:
    async with contextlib.AsyncExitStack() as stack:
        client = Client(connection)
        stack.push_async_callback(client.close)
        return await _renew(OwnSecrets(client, namespace, manager=MANAGER), namespace, anew=anew)


async def _renew(keeper: Keeper, namespace: str, *, anew: bool) -> list[str]:
    return await renew(keeper, namespace=namespace, now=utc(SystemClock().now()), anew=anew)
