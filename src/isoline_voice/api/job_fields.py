"""The fields of requests about jobs."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from isoline_voice.api.fields import PromptedFields
from isoline_voice.audio.encoders import Format


class ChapterFields(BaseModel):
    """A chapter where the text is not one string."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field("", max_length=200)
    input: str


class JobFields(PromptedFields):
    """The body of POST /v1/audio/jobs."""

    input: str = Field("", description="The text; headings (# …, 第一章, Chapter 1) begin chapters.")
    chapters: list[ChapterFields] = Field(default=[], max_length=2000, description="The text by chapters, instead.")
    response_format: Format = Field("mp3", description="The format of downloads that name none.")
    webhook: str | None = Field(
        None, max_length=2000, description="An address that gets the finished job as JSON; its host has to be allowed."
    )

    def request_json(self) -> dict[str, Any]:
        """What is kept of the request beside the text and the recording."""
        kept = {"model", "voice", "instructions", "speed", "language", "seed", "response_format", "webhook", "ref_text"}
        return self.model_dump(include=kept)
