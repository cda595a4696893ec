"""The fields of a request for speech, with OpenAI's names, and what they become."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from isoline_voice.api.parsed import ParsedFields
from isoline_voice.audio.encoders import Format
from isoline_voice.engines.protocol import MAX_SPEED, MIN_SPEED, SpeechRequest, SpeechWarning
from isoline_voice.styles import parse_style
from isoline_voice.subtitles import SUBTITLE_FORMATS, SubtitleFormat
from isoline_voice.text.sentences import Granularity

OPENAI_MODELS = frozenset({"tts-1", "tts-1-hd", "gpt-4o-mini-tts"})

DEFAULT_VOICE = "alloy"

LANGUAGE_NAMES = {
    "chinese": "zh",
    "english": "en",
    "japanese": "ja",
    "korean": "ko",
    "german": "de",
    "spanish": "es",
    "french": "fr",
    "italian": "it",
    "russian": "ru",
    "portuguese": "pt",
}
"""What clients of vllm-omni and sglang-omni call languages; "Auto" is the text's own."""

MAX_INSTRUCTIONS = 4096
MAX_REFERENCE_TEXT = 2000


def _voice_id(voice: Any) -> Any:
    """OpenAI names a custom voice by an object with its id; other servers' clients ask for the `default`."""
    named = voice["id"] if isinstance(voice, dict) and set(voice) == {"id"} else voice
    return DEFAULT_VOICE if named == "default" else named


def _not_a_boolean(number: Any) -> Any:
    """JSON's true is no number, though Python counts it as one."""
    if isinstance(number, bool):
        raise PydanticCustomError("number_type", "Input should be a number")
    return number


_VOICE_SCHEMA: dict[str, Any] = {
    "description": "A voice's id from GET /v1/audio/voices, one of OpenAI's names, or {\"id\": …}.",
    "anyOf": [
        {"type": "string"},
        {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
    ],
    "default": DEFAULT_VOICE,
}


def _is_not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("give at least one word to speak")
    return text


class SpokenFields(ParsedFields):
    """What every way of asking for speech has in common."""

    # A field that we do not know is answered with a warning: other servers' extras must not break their clients here.
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow", allow_inf_nan=False)

    model: str | None = Field(
        None, max_length=256, description="Any name; the header X-Voice-Engine says which engine spoke."
    )
    voice: Annotated[str, Field(max_length=256), BeforeValidator(_voice_id), WithJsonSchema(_VOICE_SCHEMA)] = (
        DEFAULT_VOICE
    )
    instructions: str = Field(
        "",
        max_length=MAX_INSTRUCTIONS,
        description="How to say it, in your own words, Chinese or English: “用四川话大声读出来”, “slowly and softly”.",
    )
    speed: Annotated[float, BeforeValidator(_not_a_boolean)] = Field(
        1.0, ge=MIN_SPEED, le=MAX_SPEED, description="Multiplies the rate that the instructions ask for."
    )
    language: str | None = Field(
        None,
        max_length=35,
        description="BCP 47 tag for text whose script leaves its language open. Ours, not OpenAI's.",
    )
    deadline: Annotated[float | None, BeforeValidator(_not_a_boolean)] = Field(
        None,
        gt=0,
        le=3600,
        description="Seconds until the first audio has to be there; later the answer is 504. Ours, not OpenAI's.",
    )
    seed: Annotated[int | None, BeforeValidator(_not_a_boolean)] = Field(
        None, description="Makes engines that sample repeatable. Ours, not OpenAI's."
    )

    @model_validator(mode="before")
    @classmethod
    def _in_our_words(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        given = {name: value for name, value in data.items() if value is not None}
        if "speaker" in given:  # as clients of vllm-omni and sglang-omni may call it
            given.setdefault("voice", given.pop("speaker"))
        if isinstance(named := given.get("language"), str):
            given["language"] = LANGUAGE_NAMES.get(named.lower(), None if named.lower() == "auto" else named)
        return given

    def to_speech(self, text: str) -> SpeechRequest:
        """The request to the engine for `text` in this way of speaking."""
        return SpeechRequest(
            text=text,
            voice=self.voice,
            style=parse_style(self.instructions),
            speed=self.speed,
            language=self.language,
            seed=self.seed,
            deadline=self.deadline,
        )

    def warnings(self, engine: str) -> tuple[SpeechWarning, ...]:
        """What was asked for and cannot be had: unknown fields, another model than the one that speaks."""
        unknown = [_unknown_field(name, tuple(type(self).model_fields)) for name in self.model_extra or {}]
        if self.model is None or self.model == engine or self.model in OPENAI_MODELS:
            return tuple(unknown)
        other = SpeechWarning(
            code="model_substituted",
            en=f"The model {self.model!r} is not here; {engine} spoke instead.",
            zh=f"此处没有模型 {self.model!r}，由 {engine} 朗读。",
        )
        return (other, *unknown)


def _unknown_field(name: str, known: tuple[str, ...]) -> SpeechWarning:
    near = difflib.get_close_matches(name, known, n=1)
    en = f"The field {name!r} is unknown and was ignored."
    zh = f"未知字段 {name!r}，已忽略。"
    if near:
        en, zh = f"{en} Did you mean {near[0]!r}?", f"{zh}是否指 {near[0]!r}？"
    return SpeechWarning(code="unknown_field", en=en, zh=zh)


class PromptedFields(SpokenFields):
    """Speech that may be asked for in the voice of a recording."""

    ref_audio: str | None = Field(
        None, description="A recording whose voice to take, as base64 or a data: URL; goes before `voice`."
    )
    ref_text: str | None = Field(None, max_length=MAX_REFERENCE_TEXT, description="What is said in `ref_audio`.")


class SpeechFields(PromptedFields):
    """The body of POST /v1/audio/speech."""

    input: str = Field(description="The text to speak, of any length up to the engine's limit.")
    response_format: Format | SubtitleFormat | None = Field(
        None,
        description="Left out: the audio type that the Accept header names, wav when it accepts anything (curl),"
        " else mp3 as OpenAI has it. srt and vtt, which are ours, answer with the subtitles of that audio.",
    )
    stream_format: Literal["audio", "sse"] = Field(
        "audio", description="sse answers with events `speech.audio.delta` (base64) and `speech.audio.done`."
    )
    timestamp_granularities: list[Literal["sentence", "word"]] = Field(
        default=[],
        description="With `stream_format: sse` an event `speech.audio.timestamps` follows each sentence; subtitles are"
        ' of words with `["word"]`. Sentences are measured, words estimated. Ours, not OpenAI\'s.',
    )
    word_timestamps: bool = Field(
        False,
        description="vllm-omni's: the header X-Word-Timestamps has a list of `word`, `start_ms`, `end_ms`, or"
        " X-Word-Timestamps-Omitted tells that it is longer than 4 kB. With events, the same as the granularity word.",
    )

    _input = field_validator("input")(_is_not_blank)

    @field_validator("stream_format")
    @classmethod
    def _of_audio(cls, stream_format: str, info: ValidationInfo) -> str:
        if stream_format == "sse" and info.data.get("response_format") in SUBTITLE_FORMATS:
            raise PydanticCustomError("combination", "subtitles are no audio: leave stream_format out")
        return stream_format

    @field_validator("timestamp_granularities")
    @classmethod
    def _has_a_place(cls, granularities: list[str], info: ValidationInfo) -> list[str]:
        asked = info.data.get("response_format"), info.data.get("stream_format")
        if granularities and "stream_format" in info.data and asked[0] not in SUBTITLE_FORMATS and asked[1] != "sse":
            raise PydanticCustomError("combination", "needs stream_format sse, or response_format srt or vtt")
        return granularities

    @property
    def subtitle_format(self) -> SubtitleFormat | None:
        """The format of the subtitles that are asked for instead of audio."""
        asked = self.response_format
        return asked if asked == "srt" or asked == "vtt" else None

    @property
    def audio_format(self) -> Format | None:
        """The format of the audio, if one is named."""
        asked = self.response_format
        return None if asked == "srt" or asked == "vtt" else asked

    @property
    def timed(self) -> frozenset[str]:
        """Of what the times are asked for: sentence, word."""
        return frozenset((*self.timestamp_granularities, *(("word",) if self.word_timestamps else ())))


class PredictFields(SpokenFields):
    """The text fields of POST /predict; `instruct` is the same as `instructions`."""

    text: str = Field(description="The text to speak.")
    instruct: str = Field("", max_length=MAX_INSTRUCTIONS, description="How to say it, in your own words.")
    prompt_wav: str | None = Field(
        None,
        description="A recording whose voice to take: a file in a multipart form, base64 in JSON. Also as `audio`.",
    )
    audio: str | None = Field(None, description="The same as `prompt_wav`.")
    prompt_text: str | None = Field(None, description="What the recording says.")

    _text = field_validator("text")(_is_not_blank)

    @model_validator(mode="after")
    def _one_wish(self) -> Self:
        self.instructions = self.instruct or self.instructions
        return self


class SessionFields(PromptedFields):
    """The message `session.config` of the WebSocket."""

    type: Literal["session.config"] = "session.config"
    response_format: Format = "pcm"
    stream_audio: bool = Field(True, description="False: one frame for each sentence, when that is spoken.")
    split_granularity: Granularity = Field("sentence", description="What is spoken at a time; none waits for the end.")
    word_timestamps: bool = Field(
        False, description="True: audio comes as messages `audio.chunk`, the last of a sentence with the words' times."
    )
    idle_timeout: Annotated[float | None, BeforeValidator(_not_a_boolean)] = Field(
        None,
        ge=0,
        le=600,
        description="Seconds that the next text may take to come after `session.done`. Left out: half a second after"
        " the first text, 30 after later ones.",
    )

    @field_validator("word_timestamps")
    @classmethod
    def _of_a_stream_of_pcm(cls, wanted: bool, info: ValidationInfo) -> bool:
        if wanted and not (info.data.get("response_format") == "pcm" and info.data.get("stream_audio")):
            raise PydanticCustomError("combination", "needs response_format pcm and stream_audio true")
        return wanted
