"""A style as CosyVoice3's controls: trained instructions first, never long, and a warning for the rest."""

from __future__ import annotations

import pytest

from isoline_voice.engines.instructions import DIALECTS, LONGEST, Controls, controls
from isoline_voice.styles import parse_style
from isoline_voice.styles.catalog import catalog


def asked(how: str, *, instructed: bool = True) -> Controls:
    return controls(parse_style(how), instructed=instructed)


def codes(result: Controls) -> list[str]:
    return [warning.code for warning in result.warnings]


@pytest.mark.parametrize(
    ("how", "instruction"),
    [
        ("用四川话", "请用四川话表达。"),
        ("loud", "Please say a sentence as loudly as possible."),
        ("轻声", "Please say a sentence in a very soft voice."),
        ("slowly", "请用尽可能慢地语速说一句话。"),
        ("快速", "请用尽可能快地语速说一句话。"),
        ("happy", "请非常开心地说一句话。"),
        ("伤心", "请非常伤心地说一句话。"),
        ("angry", "请非常生气地说一句话。"),
        ("像小猪佩奇", "我想体验一下小猪佩奇风格，可以吗？"),
        ("like a robot", "你可以尝试用机器人的方式解答吗？"),
        ("用四川话大声读出来", "请用四川话表达。Please say a sentence as loudly as possible."),
    ],
)
def test_what_the_model_was_trained_with_is_asked_in_those_words(how: str, instruction: str) -> None:
    assert asked(how) == Controls(instruction)


def test_mandarin_and_a_neutral_voice_need_no_instruction() -> None:
    assert asked("普通话，不带感情") == Controls()


def test_all_dialects_of_the_model_are_ours() -> None:
    assert set(catalog().dialects) > DIALECTS
    assert len(DIALECTS) == 17


def test_a_feeling_without_training_is_asked_for_and_said_to_be_uncertain() -> None:
    result = asked("温柔")
    assert result.instruction == "请用温柔的语气说一句话。"
    assert codes(result) == ["instruction_untrained"]


def test_a_third_wish_is_left_out_and_said() -> None:
    result = asked("用四川话，大声，快速，开心，像老师")
    assert result.instruction is not None
    assert len(result.instruction) <= LONGEST
    assert codes(result).count("style_left_out") == 3


@pytest.mark.parametrize("emotion", catalog().emotions)
def test_no_instruction_is_ever_long(emotion: str) -> None:
    for persona in catalog().personas:
        style = parse_style(f"{catalog().chinese(emotion)}，像{catalog().chinese(persona)}，用闽南语，大声")
        assert len(controls(style, instructed=True).instruction or "") <= LONGEST


def test_a_little_louder_and_a_little_slower_are_done_to_the_audio() -> None:
    result = asked("声音大一点，慢一点")
    assert result.instruction is None
    assert result.gain == pytest.approx(3.0)
    assert result.stretch > 1.1
    assert not result.warnings


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("声音低沉", "pitch_unsupported"),
        ("多停顿", "pauses_unsupported"),
        ("悄悄地说", "whisper_approximated"),
        ("客家话", "dialect_unsupported"),
        ("in Thai", "language_unsupported"),
        ("like a pirate", "style_not_understood"),
        ("loud, no, softly", "style_conflict"),
    ],
)
def test_what_the_model_cannot_do_is_a_warning(how: str, code: str) -> None:
    assert code in codes(asked(how))


def test_an_engine_that_ignores_instructions_gets_none_and_says_so() -> None:
    result = asked("用四川话大声慢慢说", instructed=False)
    assert result.instruction is None
    assert result.gain > 5
    assert result.stretch > 1.4
    assert codes(result) == ["style_left_out"]
