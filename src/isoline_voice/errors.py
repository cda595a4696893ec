"""Everything that can go wrong while speaking, as the caller sees it.

Each error carries the request field at fault (`param`) and a stable `code`, the two things an OpenAI-shaped error body
needs beside the message. Messages are English sentences that say what to do.
"""


class VoiceError(Exception):
    """Root of the studio's errors.

    `message` is a sentence for a human, `message_zh` the same in Chinese where it has particulars that the page cannot
    know from `code`, a stable identifier for a program; `param` is the request field at fault or None when no field is.
    """

    code = "voice_error"

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, message_zh: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.message_zh = message_zh
        self.param = param
        if code is not None:
            self.code = code


class InvalidRequestError(VoiceError):
    """The request cannot be spoken as it is; the caller has to change it (HTTP 400)."""

    code = "invalid_request"


def text_too_long(characters: int, *, most: int) -> InvalidRequestError:
    """What to say of a text with more characters than can be spoken at a time."""
    message = f"The text has {characters} characters; send at most {most} at a time."
    return InvalidRequestError(message, param="input", code="text_too_long")


class UnknownVoiceError(InvalidRequestError):
    """No voice has the id that was asked for (HTTP 404 or 400)."""

    code = "voice_not_found"

    def __init__(self, voice: str, known: tuple[str, ...]) -> None:
        super().__init__(f"There is no voice {voice!r}. Voices: {', '.join(known)}.", param="voice")
        self.voice = voice
        self.known = known


class UnsupportedFormatError(InvalidRequestError):
    """The audio format is not one that the encoders write (HTTP 400)."""

    code = "unsupported_format"


class EngineBusyError(VoiceError):
    """The queue is full; the same request may succeed after `retry_after` seconds (HTTP 503)."""

    code = "engine_busy"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class QueueFullError(EngineBusyError):
    """As many requests wait as may, of this client or of all; come back after `retry_after` seconds (HTTP 429)."""

    code = "queue_full"


class QuotaExceededError(QueueFullError):
    """The client has had as much audio today as it may; come back after `retry_after` seconds (HTTP 429)."""

    code = "quota_exceeded"


class EngineUnavailableError(VoiceError):
    """The engine has not started, has stopped, or cannot be started (HTTP 503)."""

    code = "engine_unavailable"

    def __init__(self, message: str, *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ReferenceRequiredError(InvalidRequestError):
    """The engine speaks only with the voice of a recording, and none came with the request or the voice (HTTP 400)."""

    code = "reference_required"


class SynthesisError(VoiceError):
    """The engine failed on this text, also when it was tried again (HTTP 500)."""

    code = "synthesis_failed"


class SynthesisTimeoutError(SynthesisError):
    """The engine made no progress for too long, also when it was tried again (HTTP 504)."""

    code = "synthesis_timeout"


class DeadlineError(SynthesisTimeoutError):
    """The request's own deadline passed before its first audio (HTTP 504)."""

    code = "deadline_exceeded"
