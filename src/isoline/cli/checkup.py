"""What a check-up finds: one line each, and what to do where something is not as it should be."""

from typing import Literal, NamedTuple

Verdict = Literal["good", "mind", "bad"]


class Finding(NamedTuple):
    """`mind` is worth knowing and stops nothing; `bad` keeps something from working."""

    verdict: Verdict
    subject: str
    text: str
    advice: str = ""


def good(subject: str, text: str) -> Finding:
    return Finding("good", subject, text)


def mind(subject: str, text: str, advice: str) -> Finding:
    return Finding("mind", subject, text, advice)


def bad(subject: str, text: str, advice: str) -> Finding:
    return Finding("bad", subject, text, advice)
