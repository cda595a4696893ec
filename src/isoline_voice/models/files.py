"""One file of a model, and whether what has come is it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MODEL = "FunAudioLLM/Fun-CosyVoice3-0.5B-2512"
NEEDED = (
    "cosyvoice3.yaml",
    "llm.pt",
    "flow.pt",
    "hift.pt",
    "campplus.onnx",
    "speech_tokenizer_v3.onnx",
    "CosyVoice-BlankEN",
)
"""What of the model's repository is loaded: files, and one folder."""

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file by its path in the model's folder; `size` in bytes.

    `sha256` is that of the content. Where a mirror has none, `git_id` is what git calls the content (SHA-1 over a short
    head and the content); a file with neither is known by its size only.
    """

    path: PurePosixPath
    size: int
    sha256: str | None = None
    git_id: str | None = None

    @property
    def is_needed(self) -> bool:
        """Whether the model is not whole without it."""
        return self.path.parts[0] in NEEDED

    def is_in(self, place: Path) -> bool:
        """Whether the file at a place has this content; reads it whole."""
        if not place.is_file() or place.stat().st_size != self.size:
            return False
        if self.sha256 is not None:
            return _digest(place, hashlib.sha256()) == self.sha256
        if self.git_id is not None:
            return _digest(place, hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)) == self.git_id
        return True


def missing(folder: Path) -> list[str]:
    """What of NEEDED a model's folder lacks; everything while a download is not finished."""
    if unfinished(folder).exists():
        return [*NEEDED]
    return [name for name in NEEDED if not (folder / name).exists()]


def unfinished(folder: Path) -> Path:
    """The mark of a download that has begun and not ended; whoever downloads holds a lock on it."""
    return folder / ".downloading"


def _digest(place: Path, digest: hashlib._Hash) -> str:
    with place.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
