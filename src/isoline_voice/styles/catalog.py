"""The names of dialects, languages, emotions and personas, read from the data files beside this module.

The files are TOML and meant to be read and added to by people who do not program.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


@cache
def read_data(name: str) -> dict[str, Any]:
    """The content of a data file, by its name without ending."""
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Catalog:
    """All names that a Style can hold, and what they are called."""

    dialects: tuple[str, ...]
    languages: tuple[str, ...]
    emotions: tuple[str, ...]
    personas: tuple[str, ...]
    english_names: dict[str, str]
    chinese_names: dict[str, str]

    def english(self, name: str) -> str:
        """A name in English; the name itself if it is not known."""
        return self.english_names.get(name, name)

    def chinese(self, name: str) -> str:
        """A name in Chinese; the name itself if it is not known."""
        return self.chinese_names.get(name, name)


@cache
def catalog() -> Catalog:
    """The catalog, read once."""
    entries = {kind: read_data(f"{kind}s")[kind] for kind in ("dialect", "language", "emotion", "persona")}
    every = [entry for kind in entries.values() for entry in kind]
    return Catalog(
        dialects=_names(entries["dialect"]),
        languages=_names(entries["language"]),
        emotions=_names(entries["emotion"]),
        personas=_names(entries["persona"]),
        english_names={entry["name"]: entry["english"] for entry in every},
        chinese_names={entry["name"]: entry.get("chinese", entry["name"]) for entry in every},
    )


def _names(entries: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(entry["name"] for entry in entries)
