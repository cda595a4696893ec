"""What is printed, and how: tables for people, JSON and YAML for programs, errors to the other stream."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


class Format(StrEnum):
    """Forms of output, besides a table."""

    json = "json"
    yaml = "yaml"
    wide = "wide"
    name = "name"


@cache
def console() -> "Console":
    """Where results go."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


@cache
def complaints() -> "Console":
    """Where errors go."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str, style: str = "") -> None:
    """Prints a text as it is: brackets in it mean nothing."""
    console().print(text, style=style, markup=False)


def complain(text: str, style: str = "red") -> None:
    complaints().print(text, style=style, markup=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Aligned columns without lines, as kubectl has them: words between are separated by two spaces at least."""
    lines = [[column.upper() for column in columns], *([*map(str, row)] for row in rows)]
    print_aligned(lines)


def print_aligned(lines: Sequence[Sequence[str]], *, indent: str = "") -> None:
    from rich.cells import cell_len

    if not lines:
        return
    widths = [max(cell_len(line[at]) for line in lines) for at in range(len(lines[0]))]
    for line in lines:
        cells = [cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)]
        say(indent + "   ".join(cells).rstrip())


def to_yaml(value: Any) -> str:
    from isoline.objects.encoding import to_yaml

    return to_yaml(value)


def age(timestamp: str | None) -> str:
    """How long ago an RFC 3339 time was, in kubectl's way: `12s`, `5m`, `3h12m`, `4d`."""
    if not timestamp:
        return ""
    return duration(time.time() - datetime.fromisoformat(timestamp).timestamp())


def duration(seconds: float) -> str:
    seconds = max(0, int(seconds))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 2:
        return f"{seconds}s"
    if hours < 3:
        return f"{minutes}m"
    if days < 2:
        return f"{hours}h{minutes % 60}m" if hours < 8 and minutes % 60 else f"{hours}h"
    return f"{days}d"
