"""The fields of requests about jobs and batches."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from isoline_voice.api.fields import SpokenFields
from isoline_voice.audio.encoders import Format

MOST_ITEMS = 64


class ChapterFields(BaseModel):
    """A chapter where the text is not one string."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field("", max_length=200)
    input: str


class JobFields(SpokenFields):
    """The body of POST /v1/audio/jobs."""

    input: str = Field("", description="The text; headings (# …, 第一章, Chapter 1) begin chapters.")
    chapters: list[ChapterFields] = Field(default=[], max_length=2000, description="The text by chapters, instead.")
    response_format: Format = Field("mp3", description="The format of downloads that name none.")
    webhook: str | None = Field(
        None, max_length=2000, description="An address that gets the finished job as JSON; its host has to be allowed."
    )

    def request_json(self) -> dict[str, Any]:
        """What is kept of the request beside the text."""
        kept = {"model", "voice", "instructions", "speed", "language", "seed", "response_format", "webhook"}
        return self.model_dump(include=kept)


class BatchFields(SpokenFields):
    """The body of POST /v1/audio/speech/batch: fields for all, and items that may differ in each of them."""

    response_format: Format = "wav"
    items: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MOST_ITEMS,
        description="Objects with `input` and what differs from the fields for all.",
    )

    @field_validator("items", mode="before")
    @classmethod
    def _texts_are_items(cls, items: Any) -> Any:
        if isinstance(items, list):
            return [{"input": item} if isinstance(item, str) else item for item in items]
        return items
