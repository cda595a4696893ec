"""`isoline logs`."""

import re
import time
from datetime import datetime

from isoline.cli.client import Client
from isoline.cli.columns import dig
from isoline.cli.errors import UsedWronglyError
from isoline.console.wire import Listing, LogRecord

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_COLOURS = ("cyan", "green", "yellow", "magenta", "blue")


def logs(
    client: Client,
    name: str,
    *,
    namespace: str,
    follow: bool,
    since: str | None,
    tail: int | None,
    replica: str | None,
    timestamps: bool,
) -> None:
    """Prints lines, each after its replica's name where there are several."""
    records = client.stream(
        "logs",
        LogRecord,
        name=name.rpartition("/")[2],
        namespace=namespace,
        replica=replica,
        since=None if since is None else repr(parse_since(since)),
        tail=None if tail is None else str(tail),
        follow="true" if follow else None,
    )
    colours: dict[str, str] = {}
    said = False
    for record in records:
        said = True
        who = f"{record.replica}/{record.container}"
        colour = colours.setdefault(who, _COLOURS[len(colours) % len(_COLOURS)])
        at = (
            f"{datetime.fromtimestamp(record.at).astimezone().isoformat(timespec='milliseconds')} "
            if timestamps
            else ""
        )
        prefix = "" if replica is not None else f"{record.replica}  "
        _print(at + prefix, colour, record.text)
    if not said and not follow:
        _explain(client, name.rpartition("/")[2], namespace)


def _explain(client: Client, name: str, namespace: str) -> None:
    """Says on the other stream why there are no lines, in the words of the object's conditions."""
    from isoline.cli.output import complain

    complain(f"there are no lines of {name}", style="")
    listings = client.get("objects", list[Listing], kind="app,deployment", name=name, namespace=namespace)
    item = next((item for listing in listings for item in listing.items), None)
    for condition in dig(item, "status", "conditions") or ():
        # A failure is a condition that is true, everything else is one that is not.
        if condition["status"] == ("True" if condition["type"] == "ReplicaFailure" else "False"):
            complain(f"  {condition['reason']}: {condition['message']}", style="")


def _print(prefix: str, colour: str, text: str) -> None:
    from rich.text import Text

    from isoline.cli.output import console

    console().print(Text(prefix, style=colour) + Text(text))


def parse_since(text: str) -> float:
    """`90s`, `10m`, `1h30m` ago, or an RFC 3339 time, as seconds since the epoch. Raises UsedWronglyError."""
    parts = _DURATION.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return time.time() - sum(float(number) * _SECONDS[unit] for number, unit in parts)
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise UsedWronglyError(f'--since {text}: write "10m", "1h30m" or a time such as 2026-01-31T12:00:00Z') from None
