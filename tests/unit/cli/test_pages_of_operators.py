"""The pages for operators name commands, flags and figures that there are."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from isoline.cli import monitoring
from isoline.cli.commands import app

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("operations.md", "migrate-from-contour.md")


def commands(page: str) -> list[list[str]]:
    """Every command line of ours in a page, in blocks and within sentences."""
    text = (DOCS / page).read_text().replace("\\\n", " ")
    found = re.findall(r"^\$ (isoline .+)$", text, re.MULTILINE) + re.findall(r"`(isoline [^`]+)`", text)
    return [shlex.split(line, comments=True)[1:] for line in found]


def parameters(words: list[str]) -> tuple[str, set[str]]:
    """The command that words mean, and the names of its options."""
    command: Any = typer.main.get_command(app)
    name = "isoline"
    for word in words:
        if word not in getattr(command, "commands", ()):
            break
        command = command.commands[word]
        name = f"{name} {word}"
    return name, {option for each in command.params for option in (*each.opts, *each.secondary_opts)}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_flag_is_one(page: str) -> None:
    lines = commands(page)
    assert lines
    for words in lines:
        name, options = parameters(words)
        assert name != "isoline", words
        flags = [word.partition("=")[0] for word in words if word.startswith("-")]
        assert set(flags) <= options, (name, set(flags) - options)


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_is_one(page: str) -> None:
    source = Path(monitoring.__file__).read_text()
    counters = set(re.findall(r'(?:_counter|CounterMetricFamily)\(\s*"(isoline_\w+)"', source))
    # Prometheus' client puts an end to the names of counters.
    known = set(re.findall(r'"(isoline_\w+)"', source)) - counters | {f"{each}_total" for each in counters}
    told = set(re.findall(r"\b(isoline_\w+)", (DOCS / page).read_text()))
    assert told
    assert told <= known, told - known
