"""Styles: how to say it, in the user's own words (`parser.parse_style`) and as a structure (`style.Style`)."""

from isoline_voice.styles.canonical import canonical
from isoline_voice.styles.describe import describe
from isoline_voice.styles.parser import parse_style
from isoline_voice.styles.phrases import Wish, choices, wishes
from isoline_voice.styles.style import Style

__all__ = ["Style", "Wish", "canonical", "choices", "describe", "parse_style", "wishes"]
