"""Which engines there are, in the order in which they are preferred, from a TOML file.

[[engine]]
kind = "sglang"                    # embedded, sglang, vllm or cosyvoice
urls = ["http://gpu-1:8000"]       # sglang and vllm: the servers, without a path
key_from = "SGLANG_KEY"            # the environment variable that holds their API key
model = "/models/cosyvoice3"       # cosyvoice: the folder of its files
mirror = "modelscope"              # where they are fetched from if they are not there: modelscope, huggingface, a URL
slots = 8                          # texts at a time; waiting = 64 more wait
[[engine.voice]]
id = "lili"
recording = "lili.wav"             # beside the file, 1 to 30 s
transcript = "What is said in it."
language = "zh"

[[engine]]
kind = "embedded"
"""

from __future__ import annotations

import copy
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from isoline_voice.engines.protocol import Engine, Reference, Voice
from isoline_voice.engines.recorded import RecordedVoice
from isoline_voice.errors import InvalidRequestError
from isoline_voice.models.mirrors import mirror_of
from isoline_voice.scheduling.scheduler import Limits

_STRICT = ConfigDict(extra="forbid", frozen=True)
_URL = r"^https?://[^/\s]+/?$"


class ConfigurationError(InvalidRequestError):
    """The configuration cannot be used; the message lists everything that is wrong with it."""

    code = "configuration"


class VoiceSettings(BaseModel):
    """A voice of an engine that speaks with recordings."""

    model_config = _STRICT
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    recording: str
    transcript: str | None = None
    language: str = "mul"
    name: str | None = None


class EngineSettings(BaseModel):
    """One engine."""

    model_config = _STRICT
    kind: Literal["embedded", "sglang", "vllm", "cosyvoice"]
    urls: list[Annotated[str, Field(pattern=_URL)]] = []
    key_from: str | None = None
    model: str | None = None
    mirror: str | None = None
    slots: Annotated[int, Field(ge=1, le=10_000)] = 64
    waiting: Annotated[int, Field(ge=0, le=100_000)] = 256
    waiting_a_client: Annotated[int, Field(ge=1)] = 64
    workers: Annotated[int, Field(ge=1, le=256)] | None = None
    voice: list[VoiceSettings] = []


class EnginesFile(BaseModel):
    """The whole file."""

    model_config = _STRICT
    engine: Annotated[list[EngineSettings], Field(min_length=1)]


def load_engines(path: Path) -> Engine:
    """The engines that a file names, as one; raises ConfigurationError with everything that is wrong."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}.") from error
    try:
        settings = EnginesFile.model_validate(told)
        faults = [*_faults(settings, path.parent)]
    except ValidationError as error:
        faults = _faults_of_all(told, error, path.parent)
    if faults:
        raise ConfigurationError(f"{path}: {'; '.join(faults)}.")
    return build_engines(settings, folder=path.parent)


def engines_with_model(model: Path, mirror: str | None) -> Engine:
    """CosyVoice3 on this machine's GPU, and the embedded engine while it is not there; raises ConfigurationError."""
    settings = EnginesFile(
        engine=[EngineSettings(kind="cosyvoice", model=str(model), mirror=mirror), EngineSettings(kind="embedded")]
    )
    if faults := [fault.replace("engine[0].", "") for fault in _faults(settings, model)]:
        raise ConfigurationError(f"{'; '.join(faults)}.")
    return build_engines(settings, folder=model)


def build_engines(settings: EnginesFile, *, folder: Path) -> Engine:
    """The engines, each with its queue, and with a fallback from one to the next when there are several.

    `folder` is what recordings are relative to.
    """
    from isoline_voice.engines.fallback import FallbackEngine
    from isoline_voice.scheduling.engine import ScheduledEngine

    engines = [
        ScheduledEngine(
            _engine(each, folder),
            Limits(slots=each.slots, waiting=each.waiting, waiting_a_client=each.waiting_a_client),
        )
        for each in settings.engine
    ]
    return engines[0] if len(engines) == 1 else FallbackEngine(engines)


def _engine(settings: EngineSettings, folder: Path) -> Engine:
    voices = [_voice(voice, settings.kind, folder) for voice in settings.voice]
    match settings.kind:
        case "embedded":
            from isoline_voice.engines.embedded.engine import EmbeddedEngine

            return EmbeddedEngine(settings.workers)
        case "cosyvoice":
            from isoline_voice.engines.cosyvoice.engine import CosyVoiceEngine
            from isoline_voice.engines.cosyvoice.fetched import FetchedCosyVoice

            folder_of_model = settings.model or ""
            if settings.mirror is None:
                return CosyVoiceEngine(folder_of_model, voices)
            return FetchedCosyVoice(folder_of_model, voices, mirror=mirror_of(settings.mirror))
        case kind:
            from isoline_voice.engines.remote.engine import MODEL, RemoteEngine

            key = os.environ[settings.key_from] if settings.key_from else None
            return RemoteEngine(kind, settings.urls, voices, model=settings.model or MODEL, key=key)


def _voice(settings: VoiceSettings, engine: str, folder: Path) -> RecordedVoice:
    voice = Voice(settings.id, settings.name or settings.id, settings.language, engine, "A recorded voice.")
    return RecordedVoice(voice, Reference((folder / settings.recording).read_bytes(), settings.transcript))


def _faults(settings: EnginesFile, folder: Path) -> Iterator[str]:
    for index, engine in enumerate(settings.engine):
        at = f"engine[{index}]"
        remote = engine.kind in ("sglang", "vllm")
        if remote and not engine.urls:
            yield f"{at}.urls: {engine.kind} needs the URL of at least one server"
        if engine.urls and not remote:
            yield f"{at}.urls: {engine.kind} has no servers; leave it out"
        if engine.kind == "cosyvoice":
            yield from _model_faults(engine, at)
        elif engine.mirror:
            yield f"{at}.mirror: only cosyvoice has files to fetch"
        if engine.key_from and engine.key_from not in os.environ:
            yield f"{at}.key_from: there is no environment variable {engine.key_from}"
        if engine.voice and engine.kind == "embedded":
            yield f"{at}.voice: the embedded engine has its own voices"
        if engine.workers and engine.kind != "embedded":
            yield f"{at}.workers: only the embedded engine has workers"
        for number, voice in enumerate(engine.voice):
            if not (folder / voice.recording).is_file():
                yield f"{at}.voice[{number}].recording: there is no file {voice.recording}"
            if engine.kind == "vllm" and not voice.transcript:
                yield f"{at}.voice[{number}].transcript: vllm needs to know what is said in the recording"


def _faults_of_all(told: dict[str, Any], refused: ValidationError, folder: Path) -> list[str]:
    """What the types refuse, and what is wrong with the rest, which is looked at with stand-ins for the former."""
    faults = refused.errors(include_url=False)
    rest = copy.deepcopy(told)
    for fault in faults:
        _mend(rest, fault["loc"])
    wrong = [_path(fault["loc"]) for fault in faults]
    found = [f"{path}: {fault['msg']}" for path, fault in zip(wrong, faults, strict=True)]
    try:
        settings = EnginesFile.model_validate(rest)
    except ValidationError:  # not a list of engines at all
        return found
    unknown = [path for path in wrong if re.fullmatch(r"engine\[\d+\](\.kind)?", path)]
    for other in _faults(settings, folder):
        path = other.partition(":")[0]
        depends = any(_within(path, each.removesuffix(".kind")) for each in unknown)
        if depends and not path.endswith((".key_from", ".recording")):
            continue
        if not any(_within(path, each) or _within(each, path) for each in wrong):
            found.append(other)
    return found


def _mend(told: Any, location: tuple[int | str, ...]) -> None:
    """Put something that is right where the types refuse what there is."""
    match location:
        case ("engine", int(at)):
            told["engine"][at] = {"kind": "embedded"}
        case ("engine", int(at), "kind", *_):
            told["engine"][at]["kind"] = "embedded"
        case ("engine", int(at), "voice", int(number)):
            told["engine"][at]["voice"][number] = {"id": "voice", "recording": ""}
        case ("engine", int(at), "voice", int(number), str(field), *_):
            told["engine"][at]["voice"][number].pop(field, None)
            if field in ("id", "recording"):
                told["engine"][at]["voice"][number][field] = "voice"
        case ("engine", int(at), str(field), *_):
            told["engine"][at].pop(field, None)
        case ("engine",):
            pass
        case (str(field), *_):
            told.pop(field, None)


def _within(path: str, other: str) -> bool:
    return path == other or path.startswith((f"{other}.", f"{other}["))


def _model_faults(engine: EngineSettings, at: str) -> Iterator[str]:
    if not engine.model or not (engine.mirror or Path(engine.model).is_dir()):
        yield f"{at}.model: the folder of CosyVoice3's files has to be named here"
    if engine.mirror:
        try:
            mirror_of(engine.mirror)
        except InvalidRequestError as error:
            yield f"{at}.mirror: {error.message}"


def _path(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
