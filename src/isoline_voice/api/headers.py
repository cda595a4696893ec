"""What was understood and what could not be done, as headers and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from isoline_voice.engines.protocol import SpeechWarning
from isoline_voice.styles import Style, describe

LONGEST_STRING = 120
LONGEST_LIST = 4
"""Four strings of 120 Chinese characters, escaped, are 3 kB; proxies take 8 kB of headers at least."""


def style_json(style: Style) -> dict[str, Any]:
    """The style's fields, with `summary` and `summary_zh` for humans."""
    return {**style.to_json(), "summary": describe(style, "en"), "summary_zh": describe(style, "zh")}


def warnings_json(warnings: Sequence[SpeechWarning]) -> list[dict[str, str]]:
    """Each warning's `code`, `message` and `message_zh`."""
    return [warning.to_json() for warning in warnings]


def speech_headers(*, engine: str, style: Style, warnings: Sequence[SpeechWarning]) -> dict[str, str]:
    """X-Voice-Engine, X-Voice-Synthetic, X-Voice-Style and X-Voice-Warnings.

    The last two are JSON in which everything beyond ASCII is escaped (`\\u56db`), the only form that every proxy and
    client passes on unharmed; any JSON parser gives the words back. They are cut to what every proxy takes as a header;
    the JSON of events and of the WebSocket is whole.
    """
    headers = {"X-Voice-Engine": engine, "X-Voice-Synthetic": "true", "X-Voice-Style": _ascii(style_json(style))}
    if warnings:
        headers["X-Voice-Warnings"] = _ascii(warnings_json(warnings))
    return headers


def _ascii(value: object) -> str:
    return json.dumps(_cut(value), ensure_ascii=True, separators=(",", ":"))


def _cut(value: object) -> object:
    """The same with long strings and lists cut: an instruction that nobody understands comes back as `unknown`."""
    match value:
        case str() if len(value) > LONGEST_STRING:
            return value[: LONGEST_STRING - 1] + "…"
        case list():
            return [_cut(item) for item in value[:LONGEST_LIST]]
        case dict():
            return {key: _cut(item) for key, item in value.items()}
        case _:
            return value
