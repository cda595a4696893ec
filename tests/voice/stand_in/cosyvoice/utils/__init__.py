"""Stands in for CosyVoice3's package, which needs a GPU: the same names and the same faults, and tones for speech."""
