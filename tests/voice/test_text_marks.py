"""Marks inside of a text: sounds, spans, phonemes, pinyin; and characters with several readings."""

from __future__ import annotations

import pytest

from isoline_voice.errors import InvalidRequestError
from isoline_voice.text.cleaning import clean
from isoline_voice.text.pinyin import respelled, with_characters
from isoline_voice.text.tags import (
    SOUNDS,
    check_tags,
    phonemes_in,
    sounds_in,
    without_phonemes,
)


@pytest.mark.parametrize("name", SOUNDS)
def test_every_sound_of_the_model_is_known(name: str) -> None:
    check_tags(f"嗯[{name}]好")
    assert sounds_in(f"嗯[{name}]好") == {name}
    assert clean(f"嗯[{name}]好") == "嗯 好"
    assert clean(f"嗯[{name}]好", marks=True) == f"嗯[{name}]好"


@pytest.mark.parametrize(
    "text",
    [
        "<strong>really</strong> <laughter>so</laughter>",
        "[HH][AH0][L][OW1]",
        "报道[j][ǐ]予好评",
        "[n][ǚ]人 [yǔ] [zh][uāng]",
        "see [1] and [see below] and [B] and [PDF] and [here](https://example.com)",
        "- [x] done",
        "5 < 6 > 4",
    ],
)
def test_what_is_known_or_ordinary_text_passes(text: str) -> None:
    check_tags(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("嗯[laugther]好", r"\[laugther\] at character 2: did you mean \[laughter\]"),
        ("[happy] hi", r"\[happy\] at character 1: known are \[breath\]"),
        ("<strong>x", "</strong> is missing"),
        ("x</laughter>", "there is no <laughter> before it"),
        ("<strong><laughter>x</strong></laughter>", "there is no"),
        ("[AA7]", r"\[AA7\] .*not a CMU phoneme"),
        ("[QX1]", "not a CMU phoneme"),
        ("[j][ǐo]", "not a pinyin final"),
        ("[vv][ǐ]", "not a pinyin initial"),
    ],
)
def test_what_would_be_read_aloud_is_an_error_that_says_where_and_what_to_do(text: str, said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said) as caught:
        check_tags(text)
    assert caught.value.param == "input"


def test_every_wrong_mark_is_told_at_once() -> None:
    with pytest.raises(InvalidRequestError, match=r"\[foo\].*\[bar\].*\[AA9\]"):
        check_tags("[foo] [bar] [AA9]")


def test_prescribed_phonemes_are_found_and_taken_out() -> None:
    assert phonemes_in("say [HH][AH0][L][OW1]")
    assert without_phonemes("say [HH][AH0][L][OW1]!") == "say !"
    assert not phonemes_in("section [B]")
    assert without_phonemes("section [B]") == "section [B]"


def test_pinyin_becomes_a_character_that_is_read_so() -> None:
    assert with_characters("报道[j][ǐ]予好评") == "报道挤予好评"
    assert with_characters("no pinyin") == "no pinyin"


@pytest.mark.parametrize(
    ("text", "changed"),
    [("银行", "行"), ("音乐", "乐"), ("重庆", "重"), ("长度", "长"), ("还钱", "还")],
)
def test_a_reading_by_context_is_made_plain(text: str, changed: str) -> None:
    heard = respelled(text)
    assert changed not in heard
    assert len(heard) == len(text)


@pytest.mark.parametrize("text", ["行走", "快乐", "重要", "长大", "还有", "Hello 123"])
def test_the_common_reading_is_left_as_it_is_written(text: str) -> None:
    assert respelled(text) == text
