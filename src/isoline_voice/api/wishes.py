"""GET /v1/styles: what was understood of a wish, before anything is spoken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Query
from starlette.requests import Request

from isoline_voice.api.errors import ApiError, Fault
from isoline_voice.api.fields import MAX_INSTRUCTIONS
from isoline_voice.api.headers import style_json, warnings_json
from isoline_voice.api.studio import studio_of
from isoline_voice.engines.protocol import Capabilities, SpeechWarning
from isoline_voice.styles import Style, choices, describe, parse_style, wishes

router = APIRouter(tags=["styles"])


@router.get(
    "/v1/styles",
    summary="What was understood",
    description="How the studio reads a wish about the way of speaking: the structure, a summary in English and"
    " Chinese, its `wishes` one by one (joined with commas they are the style again), and what the engine really"
    " renders.",
)
async def understand(
    request: Request, text: str = Query("", description="The wish, in your own words.")
) -> dict[str, Any]:
    """The style that `text` asks for, and the engine's capabilities."""
    if len(text) > MAX_INSTRUCTIONS:
        message = f"text is longer than {MAX_INSTRUCTIONS} characters; say it shorter."
        raise ApiError(400, Fault(message, "text", "string_above_max_length"))
    can = studio_of(request).service.capabilities
    style = parse_style(text)
    return {
        "text": text,
        "style": style_json(style),
        "wishes": [wish.to_json() for wish in wishes(style)],
        "unsupported": warnings_json(list(_unsupported(style, can))),
        "capabilities": {
            "dialects": sorted(can.dialects),
            "languages": sorted(can.languages),
            "emotions": sorted(can.emotions),
            "volume": can.volume,
            "rate": can.rate,
            "pitch": can.pitch,
            "cloning": can.cloning,
        },
    }


@router.get(
    "/v1/styles/choices",
    summary="What can be wished",
    description="For each field of a style the phrases, in English and Chinese, that the studio understands and the"
    " engine renders.",
)
async def list_choices(request: Request) -> dict[str, list[dict[str, str]]]:
    """The phrases by field, in the order in which a page would offer them."""
    can = studio_of(request).service.capabilities
    rendered = {
        "dialect": {describe(Style(dialect=name)) for name in can.dialects},
        "emotion": {describe(Style(emotion=name)) for name in can.emotions},
    }
    return {
        field: [wish.to_json() for wish in phrases if field not in rendered or wish.zh in rendered[field]]
        for field, phrases in choices().items()
    }


def _unsupported(style: Style, can: Capabilities) -> Iterator[SpeechWarning]:
    """What can be told before there is a text: the names that the engine does not know."""
    if style.dialect is not None and style.dialect not in can.dialects:
        alone = Style(dialect=style.dialect)
        yield SpeechWarning(
            code="dialect_unsupported",
            en=f"This engine cannot speak {describe(alone, 'en')}; it will read in Mandarin.",
            zh=f"本引擎不会说{describe(alone, 'zh')}，将用普通话朗读。",
        )
    if style.emotion is not None and style.emotion not in can.emotions:
        alone = Style(emotion=style.emotion)
        yield SpeechWarning(
            code="emotion_unsupported",
            en=f"This engine cannot sound {describe(alone, 'en')}; it will be left out.",
            zh=f"本引擎不能表达“{describe(alone, 'zh')}”，将略去。",
        )
