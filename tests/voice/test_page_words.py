"""Whatever the studio refuses, the page says why in Chinese too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import isoline_voice
from isoline_voice.api.errors import ANY_VALIDATION_CODE, VALIDATION_CODES
from isoline_voice.api.fields import SpeechFields
from isoline_voice.api.voice_fields import VoiceFields

SOURCE = Path(isoline_voice.__file__).parent
ELSEWHERE = {
    "configuration",  # ends the program, which says so in its terminal
    "download_failed",
    "smoke_test_failed",
    "state_unusable",
    "traces_unavailable",
    "voice_error",  # the root of all, which nobody raises
}
NEVER_ON_THE_PAGE = {
    "model",
    "deadline",
    "description",
    "stream_format",
    "timestamp_granularities",
    "word_timestamps",
}
IN_BOTH_LANGUAGES = ("SpeechWarning", "Finding", "TagFault")


def codes_in(tree: ast.AST) -> Iterator[str]:
    """The codes of errors: `code=` of a call, the last argument of a Fault, and `code` of a class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if name in IN_BOTH_LANGUAGES:
                continue
            given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            if name in ("Fault", "_fault") and len(node.args) >= 3:
                given.append(node.args[2])
            for value in given:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.value
        elif isinstance(node, ast.ClassDef):
            for statement in node.body:
                if (
                    isinstance(statement, ast.Assign)
                    and isinstance(statement.targets[0], ast.Name)
                    and statement.targets[0].id == "code"
                    and isinstance(statement.value, ast.Constant)
                ):
                    yield str(statement.value.value)


def all_codes() -> set[str]:
    found = {*VALIDATION_CODES.values(), ANY_VALIDATION_CODE}
    for file in SOURCE.rglob("*.py"):
        found |= {*codes_in(ast.parse(file.read_text(encoding="utf-8")))}
    return found - ELSEWHERE


def translated(language: str) -> set[str]:
    page = (SOURCE / "web" / f"words-{language}.js").read_text(encoding="utf-8")
    refusals = page.split("  refusals: {\n")[1].split("\n  },\n")[0]
    return {match[1] for match in re.finditer(r"^    (\w+):", refusals, re.MULTILINE)}


def test_every_refusal_has_a_sentence_in_chinese() -> None:
    assert translated("zh") == all_codes()


def test_every_field_of_a_refusal_has_a_name_in_chinese() -> None:
    page = (SOURCE / "web" / "words-zh.js").read_text(encoding="utf-8")
    named = {match[1] for match in re.finditer(r"^    (\w+):", page.split("  parameters: {")[1], re.MULTILINE)}
    asked = {*SpeechFields.model_fields, *VoiceFields.model_fields} - NEVER_ON_THE_PAGE
    assert asked <= named


def test_no_sentence_in_english_is_for_a_refusal_that_there_is_not() -> None:
    assert translated("en") <= all_codes()
