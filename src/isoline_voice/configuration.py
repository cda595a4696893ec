"""The studio's configuration: a TOML file, and environment variables that go before it.

state = "/var/lib/isoline-voice"   # or ISOLINE_VOICE_STATE, and so on for each field
webhooks = ["hooks.example.org"]
[[client]]                         # with at least one, every request needs a key
name = "lab"
key_from = "LAB_KEY"               # the environment variable that holds the key
requests_per_minute = 60
audio_seconds_per_day = 3600
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from isoline_voice.engines.configuration import ConfigurationError, engines_with_model, load_engines
from isoline_voice.engines.protocol import Engine
from isoline_voice.settings import Client, Settings
from isoline_voice.telemetry.logs import LogFormat

PREFIX = "ISOLINE_VOICE_"
DEFAULTS = Settings()

_STRICT = ConfigDict(extra="forbid", frozen=True)


class ClientFields(BaseModel):
    """A client with a key of its own; limits that are left out are none."""

    model_config = _STRICT
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    key_from: str
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    audio_seconds_per_day: Annotated[float, Field(gt=0)] | None = None


class Configuration(BaseModel):
    """The whole file; see `Settings` for what the fields mean."""

    model_config = _STRICT
    host: str = DEFAULTS.host
    port: Annotated[int, Field(ge=0, le=65535)] = DEFAULTS.port
    max_body: Annotated[int, Field(ge=1024, le=1 << 30)] = DEFAULTS.max_body
    max_prompt_audio: Annotated[int, Field(ge=1024, le=1 << 30)] = DEFAULTS.max_prompt_audio
    drain: Annotated[float, Field(ge=0, le=3600)] = DEFAULTS.drain
    grace: Annotated[float, Field(ge=0, le=3600)] = DEFAULTS.grace
    engines: Path | None = None
    model: Path | None = None
    mirror: str | None = None
    state: Path | None = None
    provenance: bool = True
    webhooks: tuple[str, ...] = ()
    log_format: LogFormat = DEFAULTS.log_format
    log_text: bool = DEFAULTS.log_text
    traces: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")] | None = None
    client: tuple[ClientFields, ...] = ()


def load(path: Path | None, environment: Mapping[str, str], **given: Any) -> Settings:
    """The settings: what is `given` (None is not) before the environment, and that before the file.

    Raises ConfigurationError with everything that is wrong.
    """
    told = _file(path)
    for name in set(Configuration.model_fields) - {"client"}:
        value = environment.get(PREFIX + name.upper())
        if value:
            told[name] = [part.strip() for part in value.split(",")] if name == "webhooks" else value
    told |= {name: value for name, value in given.items() if value is not None}
    try:
        # Variables are text; JSON's laxness about numbers and booleans is what they need.
        read = Configuration.model_validate_json(json.dumps(told, default=str), strict=False)
    except ValidationError as error:
        faults = "; ".join(f"{_path(fault['loc'])}: {fault['msg']}" for fault in error.errors(include_url=False))
        raise ConfigurationError(f"{path or 'the environment'}: {faults}.") from error
    if missing := [*_missing(read, environment)]:
        raise ConfigurationError(f"{path or 'the environment'}: {'; '.join(missing)}.")
    clients = tuple(_client(each, environment[each.key_from]) for each in read.client)
    return Settings(**{**read.model_dump(exclude={"client"}), "clients": clients})


def engines_of(settings: Settings) -> Engine | None:
    """The engines that the settings name, None for the embedded one alone; raises ConfigurationError."""
    if settings.engines is not None:
        return load_engines(settings.engines)
    return None if settings.model is None else engines_with_model(settings.model, settings.mirror)


def check(settings: Settings) -> None:
    """Read what the settings point to; raises ConfigurationError."""
    engines_of(settings)
    if settings.state is not None and settings.state.exists() and not os.access(settings.state, os.W_OK):
        raise ConfigurationError(f"state: {settings.state} cannot be written to.")


def _file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}.") from error


def _missing(read: Configuration, environment: Mapping[str, str]) -> Iterator[str]:
    names = [client.name for client in read.client]
    for at, client in enumerate(read.client):
        if not environment.get(client.key_from):
            yield f"client[{at}].key_from: there is no environment variable {client.key_from}"
        if client.name in names[:at]:
            yield f"client[{at}].name: there are two clients {client.name}"
    if read.engines is not None and not read.engines.is_file():
        yield f"engines: there is no file {read.engines}"
    if read.engines is not None and read.model is not None:
        yield "model: the file of engines names the model; leave one of the two out"
    if read.mirror is not None and read.model is None:
        yield "mirror: name the folder for the model in model"


def _client(fields: ClientFields, key: str) -> Client:
    return Client(
        name=fields.name,
        key_sha256=hashlib.sha256(key.encode()).digest(),
        requests_per_minute=fields.requests_per_minute,
        audio_seconds_per_day=fields.audio_seconds_per_day,
    )


def _path(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
