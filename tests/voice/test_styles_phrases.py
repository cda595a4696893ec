"""The phrases of a style lead back to it: chips may be taken away and exchanged, and the sentence stays understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from isoline_voice.styles import Style, Wish, choices, describe, parse_style, wishes
from isoline_voice.styles.catalog import catalog

SENTENCES = [
    line.split("\t")[0]
    for line in (Path(__file__).parent / "data" / "styles_development.tsv").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
EVERY_CHOICE = [wish for phrases in choices().values() for wish in phrases]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_choice_is_read_back_as_itself(language: str) -> None:
    wrong = [wish for wish in EVERY_CHOICE if wishes(parse_style(_in(wish, language))) != (wish,)]
    assert wrong == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_wishes_of_a_sentence_are_the_sentence_again(language: str) -> None:
    wrong = []
    for sentence in SENTENCES:
        understood = wishes(parse_style(sentence))
        again = wishes(parse_style(_joined(understood, language)))
        if again != understood:
            wrong.append((sentence, understood, again))
    assert wrong == []


def test_a_wish_taken_away_leaves_the_others() -> None:
    dialect, volume = wishes(parse_style("用四川话大声读出来"))
    assert (dialect.field, volume.field) == ("dialect", "volume")
    assert describe(parse_style(volume.zh)) == volume.zh


def test_what_is_not_wanted_is_a_wish_too() -> None:
    assert wishes(parse_style("not sad")) == (Wish("avoided", "not sad", "不要伤心"),)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_name_that_is_not_wanted_is_read_back_as_itself(language: str) -> None:
    names = catalog()
    wrong = []
    for name in (*names.dialects, *names.languages, *names.emotions, *names.personas):
        avoided = Style(avoided=(name,))
        again = parse_style(describe(avoided, language))
        if again != avoided:
            wrong.append((name, describe(avoided, language), again))
    assert wrong == []


def _in(wish: Wish, language: str) -> str:
    return wish.zh if language == "zh" else wish.en


def _joined(phrases: tuple[Wish, ...], language: str) -> str:
    return ("，" if language == "zh" else ", ").join(_in(wish, language) for wish in phrases)
