"""The seed, as the model has it."""

from __future__ import annotations

seeds: list[int] = []


def set_all_random_seed(seed: int) -> None:
    """Remember it; the tone's pitch follows."""
    seeds.append(seed)
