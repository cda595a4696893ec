"""What people say about how to speak, and what is understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from isoline_voice.styles import Style, describe, parse_style
from isoline_voice.styles.catalog import DATA, catalog, read_data
from isoline_voice.styles.folding import fold
from isoline_voice.styles.lexicon import meanings

SENTENCES: list[tuple[str, dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "style_sentences.yaml").read_text(encoding="utf-8")
)
RANGES = {
    "++": (0.85, 1.0), "+": (0.45, 0.849), "a bit": (0.1, 0.449),
    "a bit less": (-0.449, -0.1), "-": (-0.849, -0.45), "--": (-1.0, -0.85),
}  # fmt: skip
STRENGTHS = {"slight": 0.3, "": 0.6, "strong": 0.9, "most": 1.0}
DIALECTS = """普通话 广东话 东北话 甘肃话 贵州话 河南话 湖北话 湖南话 江西话 闽南话 宁夏话 山西话 陕西话 山东话 上海话
    四川话 天津话 云南话""".split()  # noqa: SIM905


@pytest.mark.parametrize(("sentence", "expected"), SENTENCES, ids=[sentence for sentence, _ in SENTENCES])
def test_a_sentence_means(sentence: str, expected: dict[str, Any]) -> None:
    understood = parse_style(sentence).to_json()
    strength = understood.pop("emotion_strength", None)
    assert set(understood) == set(expected), understood
    for wish, value in expected.items():
        if wish in ("volume", "rate", "pitch", "pauses"):
            low, high = RANGES[value] if isinstance(value, str) else (value, value)
            found = understood[wish]
            assert isinstance(found, float)
            assert low <= found <= high, understood
        elif wish == "emotion":
            name, _, how_much = value.partition(" ")
            assert understood[wish] == name
            assert name == "neutral" or strength == STRENGTHS[how_much]
        else:
            assert understood[wish] == value


def test_the_table_is_large_enough_to_mean_something() -> None:
    assert len(SENTENCES) >= 120


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("sentence", ["请用{}表达。", "用{}大声读出来", "{}"])
def test_all_eighteen_dialects_by_their_chinese_names(dialect: str, sentence: str) -> None:
    assert parse_style(sentence.format(dialect)).dialect == dialect


@pytest.mark.parametrize("dialect", DIALECTS)
def test_all_eighteen_dialects_by_the_english_names_that_we_print(dialect: str) -> None:
    assert parse_style(f"speak in {catalog().english(dialect)}, please").dialect == dialect


@pytest.mark.parametrize("kind", ["emotions", "personas", "languages"])
def test_every_name_that_we_print_is_understood_in_both_languages(kind: str) -> None:
    names: tuple[str, ...] = getattr(catalog(), kind)
    field = kind.removesuffix("s")
    for name in names:
        for words in (catalog().english(name), catalog().chinese(name)):
            understood = getattr(parse_style(words), field)
            assert understood == name, f"{words} is {understood}"


def test_a_style_is_true_only_if_something_was_understood() -> None:
    assert parse_style("大声")
    assert not parse_style("asdf")
    assert not Style()


def test_json_holds_what_is_set_and_nothing_else() -> None:
    style = parse_style("用四川话大声读出来")
    assert json.loads(json.dumps(style.to_json())) == {"dialect": "四川话", "volume": 0.6}


@pytest.mark.parametrize(
    ("sentence", "chinese", "english"),
    [
        ("用四川话大声读出来", "四川话，大声", "Sichuanese, loud"),
        ("read it like a bedtime story, slowly", "慢，像讲故事的人", "slow, like a storyteller"),
        ("非常开心", "非常开心", "very happy"),
        ("尽可能慢", "尽可能慢", "as slow as possible"),
        ("asdf", "", ""),
    ],
)
def test_what_was_understood_in_words(sentence: str, chinese: str, english: str) -> None:
    style = parse_style(sentence)
    assert describe(style, "zh-CN") == chinese
    assert describe(style, "en") == english


def test_what_is_described_is_understood_again() -> None:
    for sentence, _ in SENTENCES:
        style = parse_style(sentence)
        for language in ("zh", "en"):
            again = parse_style(describe(style, language))
            assert (again.dialect, again.language, again.persona) == (style.dialect, style.language, style.persona)
            assert again.emotion == style.emotion, (sentence, describe(style, language))


@given(st.text(max_size=200))
def test_no_text_is_too_strange(text: str) -> None:
    style = parse_style(text)
    for value in (style.volume, style.rate, style.pitch):
        assert value is None or -1 <= value <= 1
    assert style.emotion_strength is None or 0 <= style.emotion_strength <= 1
    for phrase in style.unknown:
        assert phrase.strip()


@given(st.lists(st.sampled_from([sentence for sentence, _ in SENTENCES if sentence.strip()]), max_size=6))
def test_sentences_together_name_only_what_the_data_files_name(sentences: list[str]) -> None:
    style = parse_style("，".join(sentences))
    names = catalog()
    assert style.dialect is None or style.dialect in names.dialects
    assert style.emotion is None or style.emotion in names.emotions
    assert style.persona is None or style.persona in names.personas


def test_a_long_text_is_read_only_so_far() -> None:
    assert parse_style("a" * 10_000 + "，大声").volume is None


def test_the_data_files_are_plain_text_with_no_phrase_twice_in_a_list() -> None:
    for path in DATA.glob("*.toml"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("words = ["):
                words = [word.strip().strip('"') for word in line.removeprefix("words = [").rstrip("]").split(",")]
                assert len(words) == len(set(words)), f"{path.name}: {line}"
    assert meanings() is meanings()


def test_no_phrase_stands_for_two_things() -> None:
    meant: dict[str, set[str]] = {}
    for kind in ("dialect", "language", "emotion", "persona"):
        for entry in read_data(f"{kind}s")[kind]:
            for phrase in (*entry["words"], *entry.get("places", ())):
                meant.setdefault(fold(phrase), set()).add(f"{kind} {entry['name']}")
    for scale, data in read_data("scales").items():
        for group in data["wish"]:
            for phrase in group["words"]:
                meant.setdefault(fold(phrase), set()).add(f"{scale} {group['value']}")
    assert not {phrase: things for phrase, things in meant.items() if len(things) > 1}
