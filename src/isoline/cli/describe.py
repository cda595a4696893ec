"""`isoline describe`."""

import time

from isoline.cli.client import Client
from isoline.cli.output import age, duration, print_aligned, say
from isoline.console.wire import Description, Section


def describe(client: Client, kind: str, name: str, namespace: str) -> None:
    description = client.get("describe", Description, kind=kind, name=name, namespace=namespace)
    for at, section in enumerate(description.sections):
        if at:
            say("")
        _print(section)


def _print(section: Section) -> None:
    indent = "  " if section.title else ""
    if section.title:
        say(section.title, style="bold")
    rows = [_readable(section, row) for row in section.rows]
    lines = [[column.upper() for column in section.columns], *rows] if section.columns and rows else rows
    print_aligned(lines, indent=indent)
    if section.note:
        say(indent + section.note)


def _readable(section: Section, row: list[str]) -> list[str]:
    """Times as ages: what a person wants to know is how long ago."""
    readable = list(row)
    for at, column in enumerate(section.columns):
        if column == "When":
            readable[at] = duration(time.time() - float(row[at]))
        elif column == "Since":
            readable[at] = age(row[at])
    if not section.columns and row[0] == "Created":
        readable[1] = f"{row[1]} ({age(row[1])} ago)"
    return readable
