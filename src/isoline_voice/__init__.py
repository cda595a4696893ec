"""The voice studio: text and a wish in your own words in, speech out.

A program of its own; it knows nothing of Isoline and runs wherever Python runs.
"""

from isoline_voice.version import __version__

__all__ = ["__version__"]
