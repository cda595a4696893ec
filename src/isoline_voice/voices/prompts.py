"""A recording that comes with a request: what an engine gets of it."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

from isoline_voice.engines.protocol import Reference, SpeechWarning
from isoline_voice.errors import InvalidRequestError
from isoline_voice.voices.checking import check
from isoline_voice.voices.decoding import decode


class Prompt(NamedTuple):
    """The prepared recording, and what is not good about it."""

    reference: Reference
    warnings: tuple[SpeechWarning, ...]


def prepare(audio: bytes, transcript: str | None, *, param: str) -> Prompt:
    """The recording decoded, checked, trimmed and brought to one loudness.

    Raises InvalidRequestError about the field `param` with every reason for which it cannot be used. Takes some tenths
    of a second: call it in a thread.
    """
    try:
        checked = check(decode(audio))
    except InvalidRequestError as error:
        error.param = param
        raise
    if not checked.usable:
        faults = [finding for finding in checked.findings if finding.level == "error"]
        why, why_zh = " ".join(fault.message for fault in faults), "".join(fault.message_zh for fault in faults)
        raise InvalidRequestError(why, param=param, code="recording_refused", message_zh=why_zh)
    warnings = [
        SpeechWarning(f"recording_{finding.code}", finding.message, finding.message_zh) for finding in checked.findings
    ]
    return Prompt(Reference(checked.wav(), transcript or None), tuple(warnings))


def from_text(text: str, *, param: str) -> bytes:
    """The bytes of a recording in JSON: base64, or a data: URL; raises InvalidRequestError.

    An address is not fetched: a stranger would choose what this machine connects to.
    """
    if text.startswith(("http://", "https://", "file://", "/")):
        raise InvalidRequestError(
            "Addresses are not fetched; send the recording as base64.", param=param, code="recording_not_sent"
        )
    content = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError(
            "The recording is neither base64 nor a data: URL.", param=param, code="recording_unreadable"
        ) from error
