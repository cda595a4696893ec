"""The fields of requests about voices."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from isoline_voice.api.parsed import ParsedFields
from isoline_voice.voices.store import LONGEST_NAME, LONGEST_TEXT


def _printable(name: str) -> str:
    stripped = name.strip()
    if not stripped or not stripped.isprintable() or "/" in stripped or "\\" in stripped:
        raise PydanticCustomError("name", "give a name of visible characters without a slash")
    return stripped


def _said(words: str) -> str:
    if len(words.strip()) < 2:
        raise PydanticCustomError("consent", "write down the words in which the speaker agreed")
    return words.strip()


Name = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_printable)]


class _Fields(ParsedFields):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore")


class RenameFields(_Fields):
    """The body of PATCH /v1/audio/voices/{voice}."""

    name: Name


class VoiceFields(_Fields):
    """The text fields of POST /v1/audio/voices."""

    name: Name = Field(description="What requests call the voice, once for each client.")
    consent: Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_said)] = Field(
        description="The words in which the speaker agreed to the use of the voice; kept with it."
    )
    consent_by: str = Field("", max_length=200, description="Who agreed; left out: the client that sends it.")
    ref_text: str = Field("", max_length=LONGEST_TEXT, description="What is said in the recording, if you know.")
    language: str = Field("mul", pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", description="BCP 47 tag.")
    description: str = Field("", max_length=LONGEST_TEXT, description="For humans.")
    audio_sample: str | None = Field(None, description="The recording as base64, where it is not sent as a file.")

    @model_validator(mode="before")
    @classmethod
    def _other_names(cls, data: Any) -> Any:
        """What other speech servers call the same fields."""
        if not isinstance(data, dict):
            return data
        aliases = {"transcript": "ref_text", "prompt_text": "ref_text", "speaker_description": "description"}
        renamed = {aliases.get(name, name): value for name, value in data.items() if value is not None}
        return {name: value for name, value in renamed.items() if value != "" or name in ("name", "consent")}
