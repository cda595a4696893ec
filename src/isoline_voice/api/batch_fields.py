"""The fields of a batch: what its items have in common, and what each has of its own."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from isoline_voice.api.errors import ApiError, Fault
from isoline_voice.api.fields import PromptedFields, SpeechFields
from isoline_voice.audio.encoders import Format

MOST_ITEMS = 32
LONGEST_ITEM = 4096
"""Characters; an item's audio is kept in memory until it is sent. Longer texts are jobs."""


class BatchFields(PromptedFields):
    """The body of POST /v1/audio/speech/batch; every field but `items` is a default of all items."""

    items: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MOST_ITEMS,
        description="The texts, each with `input` and whatever is to be another way than the defaults say.",
    )
    response_format: Format = "wav"

    def item(self, index: int) -> SpeechFields:
        """An item's fields over the defaults; raises ApiError about that item."""
        own = {name: value for name, value in self.items[index].items() if value is not None}
        if "speaker" in own:  # or the voice of all would go before it
            own.setdefault("voice", own.pop("speaker"))
        common = self.model_dump(include=set(type(self).model_fields) - {"items"}, exclude_none=True)
        fields = SpeechFields.parse({**common, **own})
        if len(fields.input) > LONGEST_ITEM:
            message = f"An item has at most {LONGEST_ITEM} characters; send longer texts to /v1/audio/jobs."
            raise ApiError(400, Fault(message, "input", "string_above_max_length"))
        if fields.timed or fields.subtitle_format:
            message = "A batch has audio only; ask /v1/audio/speech for subtitles and times."
            param = "response_format" if fields.subtitle_format else "timestamp_granularities"
            raise ApiError(400, Fault(message, param, "unsupported_value"))
        return fields
