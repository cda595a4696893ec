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

import difflib
import hashlib
import ipaddress
import json
import socket
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from isoline_voice.engines.configuration import ConfigurationError, engines_with_model, load_engines
from isoline_voice.engines.protocol import Engine
from isoline_voice.settings import Client, Settings
from isoline_voice.state.database import unusable
from isoline_voice.telemetry import traces
from isoline_voice.telemetry.logs import LogFormat

PREFIX = "ISOLINE_VOICE_"
LISTS = ("webhooks", "trusted_proxies")
"""Variables with commas."""
DEFAULTS = Settings()

_STRICT = ConfigDict(extra="forbid", frozen=True)


def _network(text: str) -> str:
    """An address or a network."""
    if text != "*":
        ipaddress.ip_network(text)
    return text


Network = Annotated[str, AfterValidator(_network)]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")]
"""Of a webhook: a name or an address, without a scheme, a port or a path."""


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
    webhooks: tuple[Host, ...] = ()
    trusted_proxies: tuple[Network, ...] = DEFAULTS.trusted_proxies
    log_format: LogFormat = DEFAULTS.log_format
    log_text: bool = DEFAULTS.log_text
    traces: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")] | None = None
    client: tuple[ClientFields, ...] = ()


def load(path: Path | None, environment: Mapping[str, str], **given: Any) -> Settings:
    """The settings: what is `given` (None is not) before the environment, and that before the file.

    Raises ConfigurationError with everything that is wrong.
    """
    read, faults = _read(path, environment, given)
    return _settings(path, environment, read, [*faults, *_missing(read, environment)])


def check(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """The settings, once everything that they point to has been looked at too; changes nothing.

    Raises ConfigurationError with everything that is wrong.
    """
    read, faults = _read(path, environment, {})
    return _settings(path, environment, read, [*faults, *_missing(read, environment), *_pointed_to(read, environment)])


def _read(
    path: Path | None, environment: Mapping[str, str], given: Mapping[str, Any]
) -> tuple[Configuration, list[str]]:
    """What can be read, and what is wrong with the rest."""
    told = _file(path)
    for name in set(Configuration.model_fields) - {"client"}:
        value = environment.get(PREFIX + name.upper())
        if value:
            told[name] = [part.strip() for part in value.split(",")] if name in LISTS else value
    told |= {name: value for name, value in given.items() if value is not None}
    try:
        return _validated(told), []
    except ValidationError as error:
        faults = error.errors(include_url=False)
    wrong_clients = {fault["loc"][1] for fault in faults if fault["loc"][0] == "client" and len(fault["loc"]) > 1}
    wrong = {fault["loc"][0] for fault in faults} - ({"client"} if wrong_clients else set())
    rest = {name: value for name, value in told.items() if name not in wrong}
    if wrong_clients:
        rest["client"] = [client for at, client in enumerate(told["client"]) if at not in wrong_clients]
    return _validated(rest), [f"{_path(fault['loc'])}: {fault['msg']}" for fault in faults]


def _validated(told: Mapping[str, Any]) -> Configuration:
    # Variables are text; JSON's laxness about numbers and booleans is what they need.
    return Configuration.model_validate_json(json.dumps(told, default=str), strict=False)


def _settings(
    path: Path | None, environment: Mapping[str, str], read: Configuration, faults: Iterable[str]
) -> Settings:
    if told := "; ".join(faults):
        raise ConfigurationError(f"{path or 'the environment'}: {told}.")
    clients = tuple(_client(each, environment[each.key_from]) for each in read.client)
    return Settings(**{**read.model_dump(exclude={"client"}), "clients": clients})


def engines_of(settings: Settings) -> Engine | None:
    """The engines that the settings name, None for the embedded one alone; raises ConfigurationError."""
    if settings.engines is not None:
        return load_engines(settings.engines)
    return None if settings.model is None else engines_with_model(settings.model, settings.mirror)


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
    keys = [environment.get(client.key_from) for client in read.client]
    for at, client in enumerate(read.client):
        if keys[at] and keys[at] in keys[:at]:
            yield f"client[{at}].key_from: {client.key_from} holds the key of another client"
    if read.mirror is not None and read.model is None:
        yield "mirror: name the folder for the model in model"


def _pointed_to(read: Configuration, environment: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with files, folders, hosts and packages."""
    known = {PREFIX + name.upper() for name in Configuration.model_fields} | {PREFIX + "CONFIG"}
    for name in sorted(name for name in environment if name.startswith(PREFIX) and name not in known):
        [near] = difflib.get_close_matches(name, known, n=1, cutoff=0)
        yield f"{name}: there is no such variable; did you mean {near}?"
    if read.engines is not None and read.engines.is_file():
        try:
            load_engines(read.engines)
        except ConfigurationError as error:
            yield f"engines: {error.message.removesuffix('.')}"
    try:
        socket.getaddrinfo(read.host, read.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        yield f"host: {read.host} is no address of this machine ({error.strerror or error})"
    if read.state is not None and (fault := unusable(read.state)):
        yield f"state: {fault}"
    if read.traces is not None and not traces.installed():
        yield f"traces: {traces.MISSING}"


def _client(fields: ClientFields, key: str) -> Client:
    return Client(
        name=fields.name,
        key_sha256=hashlib.sha256(key.encode()).digest(),
        requests_per_minute=fields.requests_per_minute,
        audio_seconds_per_day=fields.audio_seconds_per_day,
    )


def _path(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
