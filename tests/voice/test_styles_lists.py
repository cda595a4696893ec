"""Lists of sentences as people say them: one that the data files grew with, and one that they did not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from isoline_voice.styles import Style, canonical, parse_style
from isoline_voice.styles.canonical import SCALE_WORDS
from isoline_voice.styles.catalog import catalog

DATA = Path(__file__).parent / "data"
FIELDS = ("dialect", "language", "volume", "rate", "pitch", "emotion", "persona")


def sentences(name: str) -> Iterator[tuple[str, dict[str, str | list[str] | None]]]:
    """Each sentence of a list with all eight fields that are expected of it."""
    for line in (DATA / f"styles_{name}.tsv").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        sentence, _, wishes = line.partition("\t")
        expected: dict[str, str | list[str] | None] = dict.fromkeys(FIELDS)
        expected["unknown"] = []
        for wish in wishes.split():
            field, _, value = wish.partition("=")
            expected[field] = value.replace("_", " ").split("|") if field == "unknown" else value
        yield sentence, expected


@pytest.mark.parametrize(("name", "count", "share"), [("development", 2_300, 0.98), ("heldout", 500, 0.95)])
def test_the_share_of_sentences_that_are_understood_whole(name: str, count: int, share: float) -> None:
    """Whole: every field as expected, and nothing reported as not understood that is."""
    listed = list(sentences(name))
    missed = [sentence for sentence, expected in listed if understood_as(sentence) != expected]
    assert len(listed) >= count
    assert 1 - len(missed) / len(listed) >= share, missed


def test_the_lists_expect_only_values_that_exist() -> None:
    known = {
        "dialect": set(catalog().dialects),
        "language": set(catalog().languages),
        "emotion": set(catalog().emotions),
        "persona": set(catalog().personas),
        **{scale: set(words) for scale, words in SCALE_WORDS.items()},
    }
    for name in ("development", "heldout"):
        for sentence, expected in sentences(name):
            for field, values in known.items():
                assert expected[field] is None or expected[field] in values, (sentence, field)


def test_no_sentence_is_in_both_lists() -> None:
    development = {sentence for sentence, _ in sentences("development")}
    assert development.isdisjoint(sentence for sentence, _ in sentences("heldout"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("slwoly", {"rate": "slow"}),
        ("slooowly", {"rate": "slow"}),
        ("whispr", {"volume": "soft"}),
        ("cheerfull", {"emotion": "happy"}),
        ("Shanghainise", {"dialect": "上海话"}),
        ("四川化", {"dialect": "四川话"}),
        ("大生说", {"volume": "loud"}),
        ("曼一点", {"rate": "slow"}),
        ("文柔地说", {"emotion": "gentle"}),
        ("storry", {"persona": "storyteller"}),
        ("lowdly", {"volume": "loud"}),
    ],
)
def test_a_misspelling_is_read_as_what_was_meant(written: str, meant: dict[str, str]) -> None:
    understood = canonical(parse_style(written))
    assert {field: value for field, value in understood.items() if value} == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("superfast", {"rate": "fast"}),
        ("overexcited", {"emotion": "calm"}),
        ("villainlike", {"persona": "villain"}),
        ("gloomiest", {"emotion": "sad"}),
    ],
)
def test_a_word_that_is_made_of_a_known_one_is_known(written: str, meant: dict[str, str]) -> None:
    understood = canonical(parse_style(written))
    assert {field: value for field, value in understood.items() if value} == meant


@pytest.mark.parametrize("written", ["unromantic", "romanceless"])
def test_a_prefix_or_an_ending_may_say_that_it_is_not_wanted(written: str) -> None:
    assert parse_style(written).avoided == ("romantic",)


@pytest.mark.parametrize("word", ["快递", "大学", "福州话", "澳大利亚", "fast food", "high school"])
def test_a_word_of_its_own_is_reported_whole(word: str) -> None:
    assert parse_style(word) == Style(unknown=(word,))


@pytest.mark.parametrize(
    "sentence",
    ["sand", "loadspeaker", "pirate", "breakfast", "装酷一点", "海盗", "懒得理你", "像律师一样", "像唐僧念经"],
)
def test_what_is_another_word_is_not_taken_for_a_misspelling(sentence: str) -> None:
    understood = canonical(parse_style(sentence))
    assert understood.pop("unknown")
    assert set(understood.values()) == {None}


def understood_as(sentence: str) -> dict[str, str | list[str] | None]:
    understood = canonical(parse_style(sentence))
    unknown = understood["unknown"]
    assert isinstance(unknown, list)
    return {**understood, "unknown": [phrase.lower() for phrase in unknown]}
