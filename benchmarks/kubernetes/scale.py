"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Numbers of sites, of samples, and seconds of load."""

    sizes: tuple[int, ...] = (100, 1_000, 10_000)
    samples: int = 40
    """Of each kind of change at each size."""
    samples_alone: int = 100
    """Of a change while nothing else changes: its p95 is judged, and of forty that would be the second worst."""
    pause: float = 0.6
    """Seconds between two changes where nothing else changes: Contour holds back what comes half a second after
    another change."""
    at_once: int = 1_000
    """Objects that are created together."""
    busy_seconds: float = 5.0
    """Samples go on for as long while others change: which of those one meets is chance."""
    load_seconds: float = 10.0
    """For which others change while processor time and bytes are counted."""
    envoys: tuple[int, ...] = (1, 8)
    runs: int = 3
    """Of a cold start."""
    at_default_rate_seconds: float = 30.0
    """How long Contour is watched while it writes statuses at its default rate."""

    @property
    def most(self) -> int:
        return max(self.sizes)


def small(sites: int) -> Scale:
    """A scale that only shows that everything runs."""
    return Scale(
        sizes=(sites,),
        samples=3,
        samples_alone=3,
        pause=0.0,
        at_once=sites,
        busy_seconds=0.0,
        load_seconds=0.5,
        envoys=(2,),
        runs=1,
        at_default_rate_seconds=0.5,
    )
