"""What /openapi.json says beyond what FastAPI sees: our handlers read bodies themselves, so schemas are given here."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

TITLE = "Isoline voice studio"
DESCRIPTION = """\
Text and a wish in your own words in, speech out. OpenAI-compatible: point any client's `base_url` at `/v1`.

Every error is `{"error": {"message", "type", "param", "code"}}`; where several fields are wrong, `details` lists all.
A 429 or 503 says in `Retry-After` when to come back.
Where the operator has given out keys, send yours as `Authorization: Bearer …`.

There is a WebSocket too, `/v1/audio/speech/stream`, with the messages of vllm-omni and sglang-omni. You send JSON:
`session.config` (the fields of a speech request without `input`; `response_format` is `pcm` when left out;
`split_granularity` is `sentence`, `clause` or `none`; `stream_audio: false` asks for one frame a sentence), then
`input.text` (`{"type": "input.text", "text": "…"}`, as often as you like, token by token if need be) and `input.done`.
`input.commit` has what came so far spoken, though its last sentence has no end, and is answered `input.committed`.
You receive `session.configured`, for each sentence `audio.start` (`utterance_index`, `sentence_index`, `sentence_text`,
`format`, `sample_rate`, `engine`, `voice`, `style`, `warnings`), binary frames of audio and `audio.done` (`sentences`
and `words` with `start` and `end` in seconds from the beginning of the text, those of words estimated); at the end of
the text `session.done`; or `error`, after which the session is over. With `word_timestamps: true` (vllm-omni's) audio
comes as `audio.chunk` (`audio_b64`, `chunk_start_ms`, `chunk_end_ms`) instead of binary frames, the last of a sentence
without audio and with `timestamps` (`word`, `start_ms`, `end_ms` from the beginning of the sentence, estimated).
The next text may follow `session.done`, within half a second after the first and thirty seconds after later ones, or
within the `idle_timeout` of `session.config`; then the studio closes. Where the fields stand in an object `session`, as
sglang-omni has them, it closes at once. `session.close`, or closing the socket, stops the speech.
"""


def request_schema(fields: type[BaseModel], *, form: bool = False) -> dict[str, Any]:
    """The body's schema, as JSON and, for `form`, as a form with a file."""
    schema = fields.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    _inline(schema, definitions)
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if form:
        file = {"type": "string", "format": "binary"}
        with_file = {**schema, "properties": {**schema["properties"], "prompt_wav": file, "audio": file}}
        content["multipart/form-data"] = {"schema": with_file}
        content["application/x-www-form-urlencoded"] = {"schema": schema}
    return {"requestBody": {"required": True, "content": content}}


def file_schema(name: str) -> dict[str, Any]:
    """A form with one file."""
    properties = {name: {"type": "string", "format": "binary"}}
    schema = {"type": "object", "properties": properties, "required": [name]}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def _inline(schema: Any, definitions: dict[str, Any]) -> None:
    """Replace references, which would point at components that FastAPI does not know of."""
    if isinstance(schema, dict):
        reference = schema.pop("$ref", None)
        if reference is not None:
            schema.update(definitions[reference.rpartition("/")[2]])
        for value in schema.values():
            _inline(value, definitions)
    elif isinstance(schema, list):
        for value in schema:
            _inline(value, definitions)


_STRING_OR_NULL = {"anyOf": [{"type": "string"}, {"type": "null"}]}

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"enum": ["invalid_request_error", "server_error"]},
                "param": _STRING_OR_NULL,
                "code": {"type": "string"},
                "message_zh": {"type": "string"},
                "details": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "message": {"type": "string"},
                            "message_zh": {"type": "string"},
                            "param": _STRING_OR_NULL,
                            "code": {"type": "string"},
                        },
                    },
                },
            },
        }
    },
}


def _error(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ERROR}}}


# Declared for every route, it also keeps FastAPI from describing a 422 that never leaves.
ANY_ERROR: dict[int | str, dict[str, Any]] = {"4XX": _error("The request is wrong; `message` says what to do.")}

ERRORS: dict[int | str, dict[str, Any]] = {
    400: _error("A field is wrong; `param` names it."),
    413: _error("The body is too large."),
    500: _error("The engine failed on this text."),
    503: _error("The engine is not ready or its queue is full; see `Retry-After`."),
    504: _error("The engine made no progress."),
}

SPOKEN_HEADERS: dict[str, Any] = {
    "X-Voice-Engine": {"description": "The engine that spoke.", "schema": {"type": "string"}},
    "X-Voice-Style": {
        "description": "What was understood of the instructions: JSON, with everything beyond ASCII escaped.",
        "schema": {"type": "string"},
    },
    "X-Voice-Warnings": {
        "description": "What was asked for and not done: a JSON list of `code`, `message`, `message_zh`, escaped too.",
        "schema": {"type": "string"},
    },
}
