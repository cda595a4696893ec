"""What is wrong with a manifest, where, and what to do about it."""

import re
from typing import NamedTuple

PathStep = str | int
_PLAIN_STEP = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def format_path(path: tuple[PathStep, ...]) -> str:
    """Return a field's path as people write it: `spec.routes[0].services`, `metadata.labels["a.b/c"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_STEP.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text


class Finding(NamedTuple):
    """One thing wrong in an object, before it is known in which file and line. `unknown` marks an unknown field."""

    path: tuple[PathStep, ...]
    message: str
    hint: str = ""
    unknown: bool = False


class Problem(NamedTuple):
    """One thing wrong in a source. `document` and `line` count from 1; `subject` is the object, `Kind namespace/name`.

    Prints as `voice.yaml:12: HTTPProxy default/voice: spec.routes[0].servces: unknown field; did you mean "services"?`
    """

    source: str
    document: int
    line: int
    path: str
    message: str
    hint: str = ""
    subject: str = ""

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}"
        return ": ".join(part for part in (place, self.subject, self.path, self.explanation) if part)

    @property
    def explanation(self) -> str:
        """The message, and the hint where there is one."""
        return f"{self.message}; {self.hint}" if self.hint else self.message


class ObjectError(ValueError):
    """An object that cannot be decoded; `problems` holds everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
