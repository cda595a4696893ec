"""What the studio can be told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from isoline_voice.telemetry.logs import LogFormat

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client with a key, of which only the SHA-256 is kept; a limit of None is none."""

    name: str
    key_sha256: bytes
    requests_per_minute: int | None = None
    audio_seconds_per_day: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits and times of the HTTP side; the defaults suit a phone as well as a classroom.

    `max_body` bounds a JSON body and a WebSocket message in bytes, `max_prompt_audio` the recording that comes with
    `/predict`. `drain` is how long the studio still takes requests, in seconds, after it has reported itself not ready,
    so that a gateway notices first; `grace` how long running speech may then take to finish.
    `state` is the folder of voices, jobs and usage; without it they are gone when the studio stops. `provenance` writes
    into each file that its voice is synthetic. `webhooks` are the hosts that a job may report to.
    `trusted_proxies` are the addresses and networks whose X-Forwarded-… headers count ("*" is all of them).
    With `clients`, every request needs the key of one of them.
    Logs are lines of `log_format`, and hold what was said only with `log_text`; spans go to the OTLP collector at the
    URL `traces`.
    `engines` is a file of engines (`engines.configuration`); without it there is CosyVoice3 if `model` names the folder
    of its files, which come from `mirror` if it is told and they are not there, and the embedded one.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    max_body: int = 4 * MEBIBYTE
    max_prompt_audio: int = 10 * MEBIBYTE
    drain: float = 0.5
    grace: float = 20.0
    engines: Path | None = None
    model: Path | None = None
    mirror: str | None = None
    state: Path | None = None
    provenance: bool = True
    webhooks: tuple[str, ...] = ()
    clients: tuple[Client, ...] = ()
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    log_format: LogFormat = "text"
    log_text: bool = False
    traces: str | None = None
