"""Options and arguments that several commands have, what they mean, and what the shell completes them by."""

from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from isoline.cli.errors import CommandError

if TYPE_CHECKING:
    from isoline.cli.client import Client

opened = ExitStack()
"""What a command has opened to get its answer. It ends with the command."""


class LogFormat(StrEnum):
    """Forms of a log line."""

    text = "text"
    json = "json"


def folder_of(state: Path | None) -> Path:
    """The state folder that is meant."""
    from isoline.cli.client import state_folder

    return state_folder(state)


def client_of(state: Path | None, kubeconfig: Path | None = None, context: str | None = None) -> "Client":
    """What is asked: a cluster where one is named, or `kubectl isoline` runs; else the Isoline of a state folder."""
    from isoline.cli.client import Client, means_a_cluster

    if kubeconfig is not None or context is not None or (state is None and means_a_cluster()):
        from isoline.cli.cluster_client import ClusterClient

        client = ClusterClient(kubeconfig, context)
        opened.callback(client.close)
        return client
    return Client(folder_of(state))


def known_kinds(incomplete: str) -> list[str]:
    """For the shell's completion; when nothing runs, there is nothing to complete."""
    try:
        kinds = client_of(None).get("kinds", list[dict[str, Any]])
    except CommandError:
        return []
    return [name for kind in kinds for name in kind["names"][:2] if name.startswith(incomplete)]


def known_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the kind that stands before."""
    try:
        listings = client_of(None).get("objects", list[dict[str, Any]], kind=ctx.params.get("kind"))
    except CommandError:
        return []
    names = [item["metadata"]["name"] for listing in listings for item in listing["items"]]
    return [name for name in names if name.startswith(incomplete)]


State = Annotated[
    Path | None,
    Option("--state", help="State folder of the Isoline that is meant (or ISOLINE_STATE).", show_default=".isoline"),
]
Kubeconfig = Annotated[Path | None, Option("--kubeconfig", help="Ask the cluster of this kubeconfig.")]
Context = Annotated[str | None, Option("--context", help="Ask the cluster of this context of the kubeconfig.")]
Namespace = Annotated[str, Option("--namespace", "-n", help="Namespace of the object.")]
Place = Annotated[
    str | None, Option("--namespace", "-n", help="Namespace of the object.", show_default="default, or the context's")
]
Files = Annotated[
    list[Path], Option("--filename", "-f", help="File or directory of manifests, or - for standard input.")
]
DryRun = Annotated[bool, Option("--dry-run", help="Only say what would happen.")]
Kind = Annotated[str, Argument(help="Kind, or KIND/NAME.", autocompletion=known_kinds)]
