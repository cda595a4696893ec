"""Where models are to be had: ModelScope, Hugging Face, or a server that answers as Hugging Face does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from isoline_voice.errors import InvalidRequestError, VoiceError
from isoline_voice.models.files import NEEDED, ModelFile

MODELSCOPE = "modelscope"
HUGGING_FACE = "huggingface"
_URL = re.compile(r"https?://[^\s/]+(/[^\s]*)?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")


class DownloadError(VoiceError):
    """A model did not come; the message says why and what to do."""

    code = "download_failed"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A place by its address, and whether it answers as ModelScope does or as Hugging Face does."""

    address: str
    kind: str

    def listing(self, model: str) -> str:
        """The URL of a model's list of files."""
        if self.kind == MODELSCOPE:
            return f"{self.address}/api/v1/models/{model}/repo/files?Revision=master&Recursive=true"
        return f"{self.address}/api/models/{model}/tree/main?recursive=true"

    def content(self, model: str, file: ModelFile) -> str:
        """The URL of a file's content."""
        if self.kind == MODELSCOPE:
            return (
                f"{self.address}/api/v1/models/{model}/repo?Revision=master&FilePath={quote(str(file.path), safe='')}"
            )
        return f"{self.address}/{model}/resolve/main/{quote(str(file.path))}"

    def files(self, listing: Any) -> list[ModelFile]:
        """The needed files of a list; raises DownloadError for a list that is none, or lacks some."""
        try:
            found = [*(_on_modelscope(listing) if self.kind == MODELSCOPE else _on_hugging_face(listing))]
        except (KeyError, TypeError, ValueError) as error:
            raise DownloadError(f"{self.address} answered with no list of files: {error!r}.") from error
        needed = [file for file in found if file.is_needed]
        lacking = [name for name in NEEDED if name not in {file.path.parts[0] for file in needed}]
        if lacking:
            raise DownloadError(f"{self.address} does not have {', '.join(lacking)}; choose another mirror.")
        return needed


def mirror_of(told: str) -> Mirror:
    """The mirror that is told: "modelscope", "huggingface" or a URL. Raises InvalidRequestError."""
    match told.strip():
        case "modelscope":
            return Mirror("https://modelscope.cn", MODELSCOPE)
        case "huggingface":
            return Mirror("https://huggingface.co", HUGGING_FACE)
        case address if _URL.fullmatch(address):
            return Mirror(address.rstrip("/"), HUGGING_FACE)
    raise InvalidRequestError(
        f"{told!r} is no mirror: say {MODELSCOPE}, {HUGGING_FACE}, or the URL of a server with Hugging Face's paths.",
        param="mirror",
    )


def _on_modelscope(listing: Mapping[str, Any]) -> Iterator[ModelFile]:
    for each in listing["Data"]["Files"]:
        if each["Type"] == "blob":
            yield ModelFile(_inside(each["Path"]), int(each["Size"]), sha256=_checked(each.get("Sha256"), _SHA256))


def _on_hugging_face(listing: list[Mapping[str, Any]]) -> Iterator[ModelFile]:
    for each in listing:
        if each["type"] != "file":
            continue
        kept_apart = each.get("lfs")  # large files: git has only a pointer to them
        yield ModelFile(
            _inside(each["path"]),
            int(each["size"]),
            sha256=_checked(kept_apart["oid"], _SHA256) if kept_apart else None,
            git_id=None if kept_apart else _checked(each.get("oid"), _SHA1),
        )


def _inside(path: str) -> PurePosixPath:
    """A path that stays in the model's folder."""
    inside = PurePosixPath(path)
    if inside.is_absolute() or ".." in inside.parts or not inside.parts or "\0" in path:
        raise ValueError(f"the path {path!r}")
    return inside


def _checked(told: str | None, form: re.Pattern[str]) -> str | None:
    if not told:
        return None
    if not form.fullmatch(told.lower()):
        raise ValueError(f"the checksum {told!r}")
    return told.lower()
