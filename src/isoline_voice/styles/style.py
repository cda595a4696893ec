"""A way of speaking, as a structure."""

from __future__ import annotations

from dataclasses import dataclass

JsonValue = str | float | bool | list[str] | None


@dataclass(frozen=True, slots=True)
class Style:
    """What a user wishes about how a text is spoken; None where nothing was said.

    `dialect` is a Chinese dialect by its Chinese name (四川话), `language` a BCP 47 tag. `volume` runs from -1 (a very
    soft voice) to 1 (as loud as possible), `rate` from -1 (as slow as possible) to 1 (as fast as possible), `pitch`
    from -1 (deep) to 1 (high), `pauses` from -1 (none) to 1 (many and long), 0 being an explicit "normal". `emotion`
    is a name from the emotions data file with `emotion_strength` from 0 to 1, `persona` one from the personas file.
    `whisper` asks for breath without voice, at a volume below 0. `avoided` holds the names that were said not to be
    wanted, `unknown` the phrases that were not understood, `conflicts` an entry "earlier → later" in the user's words
    for each wish that a later one overruled.
    """

    dialect: str | None = None
    language: str | None = None
    volume: float | None = None
    rate: float | None = None
    pitch: float | None = None
    emotion: str | None = None
    emotion_strength: float | None = None
    persona: str | None = None
    pauses: float | None = None
    whisper: bool = False
    avoided: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether any wish was understood."""
        return any(
            wish is not None
            for wish in (
                self.dialect, self.language, self.volume, self.rate, self.pitch, self.emotion, self.persona, self.pauses
            )
        )  # fmt: skip

    def to_json(self) -> dict[str, JsonValue]:
        """The wishes that are set, by field name; lists only where something is in them."""
        fields: dict[str, JsonValue] = {
            "dialect": self.dialect,
            "language": self.language,
            "volume": self.volume,
            "rate": self.rate,
            "pitch": self.pitch,
            "emotion": self.emotion,
            "emotion_strength": self.emotion_strength,
            "persona": self.persona,
            "pauses": self.pauses,
            "whisper": self.whisper or None,
            "avoided": list(self.avoided) or None,
            "unknown": list(self.unknown) or None,
            "conflicts": list(self.conflicts) or None,
        }
        return {name: value for name, value in fields.items() if value is not None}
