"""What each client has had, by day."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from isoline_voice.state.database import Database


@dataclass(frozen=True, slots=True)
class DayOfUsage:
    """A day (UTC, ISO 8601): requests answered with audio, characters of text, seconds of audio."""

    day: str
    requests: int
    characters: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The four figures."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}


class UsageLog:
    """Sums by tenant and day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, tenant: str, *, characters: int, seconds: float) -> None:
        """Count one request."""
        self._database.run(
            "INSERT INTO usage (tenant, day, requests, characters, seconds) VALUES (?, ?, 1, ?, ?)"
            " ON CONFLICT DO UPDATE SET requests = requests + 1, characters = characters + excluded.characters,"
            " seconds = seconds + excluded.seconds",
            (tenant, _today(), characters, seconds),
        )

    def seconds_today(self, tenant: str) -> float:
        """The seconds of audio that a tenant has had today."""
        rows = self._database.run("SELECT seconds FROM usage WHERE tenant = ? AND day = ?", (tenant, _today()))
        return float(rows[0]["seconds"]) if rows else 0.0

    def days(self, tenant: str, *, most: int = 90) -> list[DayOfUsage]:
        """The last days on which there was any, the latest first."""
        rows = self._database.run(
            "SELECT day, requests, characters, seconds FROM usage WHERE tenant = ? ORDER BY day DESC LIMIT ?",
            (tenant, most),
        )
        return [DayOfUsage(*row) for row in rows]


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
